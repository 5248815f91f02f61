"""What sendmail -v prints, read as what went over the wire.

Its package conflicts with Postfix. This runs where it was unpacked into build/sendmail-bin.
"""

import sys
import unittest

import printed_test
from root import become_root
from sendmail import Sendmail


class Verbose(printed_test.Comparing):
    def test_one_recipient_and_several(self):
        with Sendmail() as sendmail:
            self.compare(sendmail.command("alice@example.com", ["bob@example.net"]))
            self.compare(sendmail.command("alice@example.com", ["bob@example.net", "carol@example.net"]))


if __name__ == "__main__":
    if why := Sendmail.missing():
        print(f"skipped: {why}")
        sys.exit(77)
    become_root()
    unittest.main()
