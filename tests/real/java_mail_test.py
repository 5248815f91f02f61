"""What Java Mail and its successor Jakarta Mail print with mail.debug, read as what went over the wire.

A JDK is large, so script/bootstrap installs none: this runs where one is, with Debian's libmail-java or
libjakarta-mail-java.
"""

import shutil
import sys
import unittest
from pathlib import Path

import printed_test
from root import become_root

# The source is compiled as it is run. @ is the package's name.
SOURCE = """
import java.util.Properties;
import @.mail.Message;
import @.mail.Session;
import @.mail.Transport;
import @.mail.internet.MimeMessage;

class Mail {
  public static void main(String[] words) throws Exception {
    Properties settings = new Properties();
    settings.put("mail.smtp.host", "127.0.0.1");
    settings.put("mail.smtp.port", words[0]);
    settings.put("mail.smtp.localhost", "client.example");
    settings.put("mail.debug", "true");
    MimeMessage message = new MimeMessage(Session.getInstance(settings));
    message.setFrom("alice@example.com");
    message.setRecipients(Message.RecipientType.TO, "bob@example.net, carol@example.net");
    message.setSubject("figures");
    message.setText("First line.\\n.dot\\n250 is a number\\n");
    Transport.send(message);
  }
}
"""
# What it needs, by the name of its package.
JARS = {
    "javax": ("javax.mail.jar", "javax.activation.jar"),
    "jakarta": ("jakarta-mail.jar", "jakarta-activation.jar"),
}


def installed():
    """The class path of each that is there, by its package."""
    paths = {}
    for package, names in JARS.items():
        jars = [Path("/usr/share/java") / name for name in names]
        if all(jar.exists() for jar in jars):
            paths[package] = ":".join(map(str, jars))
    return paths


class JavaMail(printed_test.Comparing):
    def test_each(self):
        for package, path in installed().items():
            with self.subTest(package):
                (self.folder / "Mail.java").write_text(SOURCE.replace("@", package))
                self.compare(["java", "-cp", path, "Mail.java", "{port}"])


if __name__ == "__main__":
    if shutil.which("javac") is None or not installed():
        print("skipped: there is no JDK, or neither libmail-java nor libjakarta-mail-java")
        sys.exit(77)
    become_root()
    unittest.main()
