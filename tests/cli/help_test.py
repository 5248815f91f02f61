#!/usr/bin/env python3
"""Help, completions and manual pages, which all come from the definitions of the options."""

import functools
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from program import PROGRAM, ROOT, ProgramTest, run

PAGES = Path(os.environ["SMTPSCOPE_PAGES"])  # where the build has put the manual pages


@functools.cache
def subcommands():
    listed = run("--help").out.split("\nSubcommands:\n")[1].split("\n\n")[0]
    return re.findall(r"(?m)^  (\S+)", listed)


@functools.cache
def options(command):
    """Each option of --help: its names, its value or "", and its description."""
    found = []
    for line in run(command, "--help").out.split("\nExamples:\n")[0].splitlines():
        if match := re.match(r"  (-.*?)(?:  +(.*))?$", line):
            names = re.findall(r"(?<!\S)--?[a-z-]+", match[1])
            value = re.sub(r"(?<!\S)--?[a-z-]+,?", "", match[1]).strip()
            found.append([names, value, match[2] or ""])
        elif line.startswith(" " * 20) and found:
            found[-1][2] += " " + line.strip()
    return found


class Help(ProgramTest):
    def test_every_subcommand_says_what_its_exit_status_means(self):
        for name in subcommands():
            with self.subTest(name):
                self.assertRegex(run(name, "--help").out, r"(?m)^Exit status: 0 .*2 wrong usage")

    def test_every_value_has_a_default_or_is_required(self):
        for name in subcommands():
            for names, value, words in options(name):
                with self.subTest((name, names)):
                    self.assertTrue(not value or "[default: " in words or "Required." in words, words)

    def test_options_are_in_groups(self):
        groups = re.findall(r"(?m)^([A-Z][^:\n]*):$", run("proxy", "--help").out)
        self.assertEqual(len(groups), len(set(groups)))
        for group in ("Listening", "TLS", "Capture", "Rules", "General"):
            self.assertIn(group, groups)

    def test_help_as_a_subcommand(self):
        self.assertEqual(run("help", "proxy").out, run("proxy", "--help").out)
        self.assertEqual(run("help").out, run("--help").out)
        self.assert_fails(run("help", "porxy"), "Did you mean 'proxy'?")

    def test_lines_are_short(self):
        for name in subcommands():
            head = run(name, "--help").out.split("\nExamples:\n")[0]
            self.assertLessEqual(max(map(len, head.splitlines())), 88, name)

    def test_misspelt(self):
        self.assert_fails(run("proxy", "--lisen", "2525"), "'--lisen'", "Did you mean '--listen'?")
        self.assert_fails(run("show", "--foramt=json", "x"), "'--foramt'", "Did you mean '--format'?")
        self.assert_fails(run("--versoin"), "Did you mean '--version'?", "smtpscope --help")
        # Nothing is near: no guess.
        self.assertNotIn("mean", run("proxy", "--zzzzzz").err)
        # What is missing beside it is not the point.
        self.assert_fails(run("redact", "--outptu", "x"), "Did you mean '--output'?")

    def test_unexpected_word(self):
        self.assert_fails(run("rules", "timing"), "'timing' was not expected", "smtpscope rules --help")


class Completion(ProgramTest):
    def setUp(self):
        super().setUp()
        self.scripts = {shell: self.file(shell, run("completion", shell).out.encode())
                        for shell in ("bash", "zsh", "fish")}

    def bash(self, *words):
        """What bash offers for the last of `words`."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
                  '$(complete -p smtpscope | sed "s/.*-F //;s/ .*//"); printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", self.scripts["bash"], *words],
                              capture_output=True, text=True, check=True, cwd=self.folder)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_bash_subcommands(self):
        self.assertEqual(self.bash("smtpscope", "pr"), ["proxy"])
        self.assertEqual(self.bash("smtpscope", ""), [*subcommands(), "-h", "--help", "--version"])
        self.assertEqual(self.bash("smtpscope", "help", "exp"), ["explain"])

    def test_bash_every_option(self):
        for name in subcommands():
            wanted = [each for names, _, _ in options(name) for each in names]
            self.assertEqual(self.bash("smtpscope", name, "-"), wanted)

    def test_bash_values(self):
        self.assertEqual(self.bash("smtpscope", "proxy", "--tls", "i"), ["intercept"])
        self.assertEqual(self.bash("smtpscope", "proxy", "--tls", "=", "i"), ["intercept"])
        self.assertEqual(self.bash("smtpscope", "proxy", "--send-proxy", "="), ["v1", "v2"])
        self.assertEqual(self.bash("smtpscope", "show", "-f", "pca"), ["pcapng"])
        self.assertEqual(self.bash("smtpscope", "explain", "rset-no"), ["rset-noop"])
        # What cannot be guessed is not guessed.
        self.assertEqual(self.bash("smtpscope", "proxy", "--listen", ""), [])

    def test_bash_files(self):
        (self.folder / "a b.smtpcap").touch()
        (self.folder / "folder").mkdir()
        script = f'source {self.scripts["bash"]}; COMP_WORDS=(smtpscope show a); COMP_CWORD=2; _smtpscope; echo "${{COMPREPLY[0]}}"'
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                              cwd=self.folder)
        self.assertEqual(done.stdout, "a b.smtpcap\n")
        self.assertEqual(self.bash("smtpscope", "proxy", "--ca", "fo"), ["folder"])

    def test_fish(self):
        def fish(line):
            done = subprocess.run(["fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]',
                                   self.scripts["fish"], line], capture_output=True, text=True,
                                  check=True, cwd=self.folder, env={**os.environ, "HOME": str(self.folder)})
            self.assertEqual(done.stderr, "")
            return [each.split("\t")[0] for each in done.stdout.splitlines()]
        self.assertEqual(fish("smtpscope pro"), ["proxy"])
        self.assertEqual(fish("smtpscope proxy --lis"), ["--listen", "--listen-tls"])
        self.assertEqual(fish("smtpscope proxy --tls i"), ["intercept"])
        self.assertEqual(fish("smtpscope explain rset-no"), ["rset-noop"])

    def test_zsh(self):
        # Its completion system in a terminal of zsh's own, which prints what it would offer.
        driver = self.file("driver", ZSH_DRIVER)
        functions = self.folder / "functions"
        functions.mkdir()
        shutil.copy(self.scripts["zsh"], functions / "_smtpscope")

        def zsh(line):
            done = subprocess.run(["zsh", "-f", driver, functions, line], capture_output=True, text=True,
                                  check=True, timeout=60, stdin=subprocess.DEVNULL,
                                  env={**os.environ, "HOME": str(self.folder), "ZDOTDIR": str(self.folder)})
            return sorted(set(done.stdout.split()))
        self.assertEqual(zsh("smtpscope pro"), ["proxy"])
        self.assertEqual(zsh("smtpscope proxy --lis"), ["--listen", "--listen-tls"])
        self.assertEqual(zsh("smtpscope proxy --tls i"), ["intercept"])


# compadd is told to hand over what it would add; it is called for each group of matches.
ZSH_DRIVER = rb"""
zmodload zsh/zpty
zpty -w 2>/dev/null
zpty shell zsh -f -i
zpty -w shell "PROMPT= RPROMPT=; stty -echo; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -D -u"
zpty -w shell 'compadd() {
  if [[ ${argv[(i)-O]} -le $# || ${argv[(i)-A]} -le $# || ${argv[(i)-D]} -le $# ]]; then builtin compadd "$@"; return; fi
  local -a found
  builtin compadd -A found "$@"
  local each
  for each in $found; do print -r -- "FOUND:${each%%=*}:"; done
  builtin compadd "$@"
}'
zpty -w shell 'bindkey "^I" complete-word; zle -C complete-word complete-word probe; probe() { _main_complete; compstate[insert]=; compstate[list]=; print -r -- "DO""NE:" }'
zpty -w shell 'print -r -- "REA""DY:"'
local text= line
while zpty -r shell line; do [[ $line == *READY:* ]] && break; done
zpty -w -n shell "$2"$'\t'
while zpty -r shell line; do
  text+=$line
  [[ $line == *DONE:* ]] && break
done
print -r -- ${(M)${(s:FOUND:)${text//$'\r'/}}:#:*} | grep -o ':[-a-z0-9]*:' | tr -d :
zpty -d shell
"""


class Manual(ProgramTest):
    def page(self, name):
        return PAGES / name

    def text(self, name):
        done = subprocess.run(["man", "--warnings", "--local-file", self.page(name)], capture_output=True,
                              text=True, check=True, env={**os.environ, "MANWIDTH": "200", "LC_ALL": "C.UTF-8",
                                                          "MAN_KEEP_FORMATTING": ""})
        self.assertEqual(done.stderr, "", name)
        return done.stdout

    def test_every_option_is_in_its_page(self):
        for name in subcommands():
            text = self.text(f"smtpscope-{name}.1")
            for names, value, _ in options(name):
                with self.subTest((name, names)):
                    self.assertRegex(text, "(?m)^ +" + re.escape(", ".join(names)) + r"( |$)")
                    self.assertIn(value, text)
            for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES", "EXIT STATUS", "SEE ALSO"):
                self.assertIn(f"\n{heading}\n", "\n" + text, name)

    def test_subcommands_are_in_the_first_page(self):
        text = self.text("smtpscope.1")
        for name in subcommands():
            self.assertRegex(text, rf"(?m)^ +{name}$")

    def test_every_rule_is_in_its_page(self):
        text = self.text("smtpscope-rules.7")
        for line in run("rules").out.splitlines():
            self.assertRegex(text, rf"(?m)^ *{line.split()[0]}$")

    def test_capture_page_has_every_event(self):
        text = self.text("smtpcap.5")
        page = (ROOT / "docs" / "capture-format.md").read_text(encoding="utf-8")
        events = re.findall(r"(?m)^\*\*`(\w+)`\*\*", page)
        self.assertGreater(len(events), 5)
        for event in events:
            self.assertRegex(text, rf"\b{event}\b")

    def test_pages_are_clean(self):
        pages = sorted(PAGES.glob("*.[1-8]"))
        self.assertGreater(len(pages), len(subcommands()))
        for page in pages:
            with self.subTest(page.name):
                done = subprocess.run(["mandoc", "-T", "lint", page], capture_output=True, text=True,
                                      check=False)
                # mandoc would look for the other pages where this system has its own; and newer
                # ones of scdoc put a macro for a paragraph in front of each heading.
                told = [line for line in done.stdout.splitlines()
                        if not re.search("referenced manual not found|skipping paragraph macro", line)]
                self.assertEqual(told, [])

    def test_unknown_page(self):
        self.assert_fails(run("man", "porxy"), "Did you mean 'proxy'?")


if __name__ == "__main__":
    unittest.main()
