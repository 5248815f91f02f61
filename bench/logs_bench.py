#!/usr/bin/env python3
"""How long it takes to make annotated timelines of Postfix's log with smtpd -v in it.

Makes a mail.log of sessions side by side as smtpd -v writes it, with the lines that it logs around
each command, and runs `smtpscope show -f jsonl` on it. Prints the least CPU time of several rounds,
and the most memory.

usage: logs_bench.py [--rounds N] [--megabytes N] SMTPSCOPE [FILE]
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

# What stands around one command in a real log: lookups in lists of networks and of names.
AROUND = """\
match_hostname: smtpd_client_event_limit_exceptions: client.example.com ~? 127.0.0.0/8
match_hostaddr: smtpd_client_event_limit_exceptions: 192.0.2.{host} ~? 127.0.0.0/8
match_hostname: smtpd_client_event_limit_exceptions: client.example.com ~? [::ffff:127.0.0.0]/104
match_hostaddr: smtpd_client_event_limit_exceptions: 192.0.2.{host} ~? [::ffff:127.0.0.0]/104
match_list_match: client.example.com: no match
match_list_match: 192.0.2.{host}: no match
send attr request = connect
send attr ident = smtp:192.0.2.{host}
private/anvil: wanted attribute: status
input attribute name: status
input attribute value: 0
private/anvil: wanted attribute: count
input attribute name: count
input attribute value: 1
>>> START Recipient address RESTRICTIONS <<<
generic_checks: name=permit_mynetworks
permit_mynetworks: client.example.com 192.0.2.{host}
generic_checks: name=permit_mynetworks status=0
generic_checks: name=reject_unauth_destination
reject_unauth_destination: bob@example.net
permit_auth_destination: bob@example.net
ctable_locate: leave existing entry key bob@example.net""".split("\n")
DIALOGUE = (
    ">220 mx.example.net ESMTP Postfix", "<EHLO client.example.com", ">250-mx.example.net", ">250-PIPELINING",
    ">250-SIZE 10240000", ">250-ENHANCEDSTATUSCODES", ">250 8BITMIME", "<MAIL FROM:<alice@example.com> SIZE=4000",
    ">250 2.1.0 Ok", "<RCPT TO:<bob@example.net>", ">250 2.1.5 Ok", "<DATA",
    ">354 End data with <CR><LF>.<CR><LF>", ">250 2.0.0 Ok: queued as 4F1D2A", "<QUIT", ">221 2.0.0 Bye")


def lines_of_sessions(number):
    """Of eight sessions side by side, a line of each in turn, as one text."""
    texts = []
    for each in range(8):
        host = (number * 8 + each) % 250 + 1
        head = f"smtpd[{1000 + each}]: "
        said = [f"{head}connect from client.example.com[192.0.2.{host}]"]
        for line in DIALOGUE:
            said.append(f"{head}{line[0]} client.example.com[192.0.2.{host}]: {line[1:]}")
            if line[0] == "<":
                said += [head + around.replace("{host}", str(host)) for around in AROUND]
        said.append(f"{head}disconnect from client.example.com[192.0.2.{host}] ehlo=1 mail=1 rcpt=1 data=1 "
                    "quit=1 commands=5")
        texts.append(said)
    stamp = f"Nov 24 {number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02} mx postfix/"
    return "".join(f"{stamp}{line}\n" for together in zip(*texts) for line in together)


def make(path, octets):
    with open(path, "w", encoding="ascii") as file:
        number = 0
        while file.tell() < octets:
            file.write(lines_of_sessions(number))
            number += 1


def cost(program, path):
    """CPU seconds and peak memory in KiB of one run."""
    with open(os.devnull, "w", encoding="ascii") as nothing:
        process = subprocess.Popen([program, "show", "-f", "jsonl", path], stdout=nothing, stderr=nothing)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"smtpscope ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("smtpscope")
    parser.add_argument("file", nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(options.file or Path(folder) / "mail.log")
        if not options.file:
            make(path, options.megabytes * 10**6)
        size = path.stat().st_size
        rounds = [cost(options.smtpscope, path) for _ in range(options.rounds)]
    seconds = min(seconds for seconds, _ in rounds)
    memory = max(memory for _, memory in rounds)
    print(f"{size / 1e6:.0f} MB in {seconds:.2f} s of CPU time: {size / 1e6 / seconds:.0f} MB/s, "
          f"{memory / 1024:.0f} MiB of memory")


if __name__ == "__main__":
    main()
