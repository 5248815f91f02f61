"""Certificates for servers of a test, and a Postfix that speaks TLS."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from follow import DEADLINE, free_port
from postfix import Postfix


def openssl(*words, folder):
    subprocess.run(
        ["openssl", *[str(word) for word in words]],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=DEADLINE,
    )


class Certificates:
    """A CA of the test's own, and what it has signed."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = folder / "real-ca.pem"
        self._ca_key = folder / "real-ca.key"
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", self._ca_key, "-out", self.ca, "-days", 2, "-subj", "/CN=Real CA"),
            # RFC 5280 4.2.1.3: a CA says that it signs. Python 3.13 insists.
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            folder=folder,
        )

    def sign(self, name, alternatives, *, days=2, usage="serverAuth"):
        """A certificate for `alternatives` (as in subjectAltName); gives its file and its key's."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", key, "-out", f"{name}.csr", "-subj", f"/CN={name}"),
            folder=self.folder,
        )
        (self.folder / f"{name}.ext").write_text(
            f"subjectAltName={alternatives}\nextendedKeyUsage={usage}\n"
        )
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", self.ca, "-CAkey", self._ca_key),
            *("-CAcreateserial", "-out", certificate, "-days", days, "-extfile", f"{name}.ext"),
            folder=self.folder,
        )
        return certificate, key


class TlsPostfix(Postfix):
    """A Postfix that offers STARTTLS, and speaks TLS from the first octet on `wrapper_port`."""

    def __init__(self, certificate, key, settings=""):
        self.wrapper_port = free_port()
        super().__init__(
            f"smtpd_tls_cert_file = {certificate}\nsmtpd_tls_key_file = {key}\n"
            "smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\n" + settings,
            f"127.0.0.1:{self.wrapper_port} inet n - n - - smtpd\n"
            "  -o smtpd_tls_wrappermode=yes\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\n",
        )


class TlsCase(unittest.TestCase):
    """Tests with a Postfix whose certificate is for `NAMES`, signed by a CA of the tests' own."""

    NAMES = "DNS:localhost,IP:127.0.0.1"

    @classmethod
    def setUpClass(cls):
        cls.common = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.common.chmod(0o755)
        cls.certificates = Certificates(cls.common)
        cls.certificate, cls.key = cls.certificates.sign("mx.smtpscope.test", cls.NAMES)
        cls.postfix = cls.enterClassContext(TlsPostfix(cls.certificate, cls.key))

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
