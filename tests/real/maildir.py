"""Reading the folders that servers deliver into."""


def messages(box):
    """The octets of each message in the maildir `box`, in order of arrival."""
    new = (box / "new").iterdir()
    return [
        path.read_bytes()
        for path in sorted(new, key=lambda path: (path.stat().st_mtime_ns, path.name))
    ]
