"""Both sides of captures of real sessions, played to each other: nothing differs.

The captures are third-party data beside the project (../shared/captures). Without them the test counts as
skipped; replay_test has the same of every transcript.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CAPTURES = ROOT.parent / "shared" / "captures" / "pcap"
BINARY = os.environ["SMTPSCOPE"]

# What cannot be played is told, and why.
REASONS = ("its recording begins in the middle", "its recording has a hole", "it goes on inside TLS",
           "it logs in, and its recording has the credentials masked",
           "its recording does not have the messages", "there is no session in it")
# What may end otherwise, and differ by that: a server that says nothing and never closes (ours closes behind the
# client, before or behind the last that it says); clients whose system answers the 221 by a reset, as they had gone.
UNSTEADY = {"arkime__smtp-subject-multi-nospace.pcap", "packetbeat__smtp_attachment.pcap",
            "suriv__smtp-bug-5981.pcap"}
LEAST = 20


def main():
    files = sorted(CAPTURES.glob("*.pcap"))
    if not files:
        print("skipped: no captures beside the project")
        sys.exit(77)
    played, refused, failed = 0, 0, []
    for file in files:
        done = subprocess.run([BINARY, "replay", file, "--to", f"replay:{file}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=240, check=False)
        if file.name in UNSTEADY and done.returncode == 1:
            continue
        if done.returncode == 0:
            played += 1
        elif done.returncode == 2 and any(reason in done.stderr for reason in REASONS):
            refused += 1
        else:
            failed.append(f"{file.name}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    print(f"{played} played, {refused} refused, {len(failed)} failed")
    print("\n".join(failed))
    sys.exit(1 if failed or played < LEAST else 0)


if __name__ == "__main__":
    main()
