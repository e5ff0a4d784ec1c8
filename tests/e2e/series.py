"""Pages of metrics as series, and the table of what was asked for (tests/requirements.md)."""
import re

from harness import ROOT, get

LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


def read_page(url):
    """[(name, labels, value)] of the exporter's page."""
    status, _, text = get(url + "/metrics")
    assert status == 200, (status, text)
    found = []
    for line in text.splitlines():
        match = LINE.match(line)
        if match:
            found.append((match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))
    return found


def find(page, selector):
    """Values of the series that a selector finds: name{label="value",...}."""
    match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?", selector)
    assert match, selector
    wanted = dict(LABEL.findall(match[2] or ""))
    return [value for name, labels, value in page
            if name == match[1] and all(labels.get(k) == v for k, v in wanted.items())]


class Row:
    """One line of the table: an id, what it is, its series and rules, and the tests that show it."""

    def __init__(self, line):
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        assert len(cells) == 4, line
        self.id, self.what = cells[0], cells[1]
        names = re.findall(r"`([^`]+)`", cells[2])
        self.rules = [n.removeprefix("rule ") for n in names if n.startswith("rule ")]
        self.series = [n for n in names if not n.startswith("rule ")]
        self.tests = [t.strip() for t in cells[3].split(";") if t.strip()]


def requirements():
    text = (ROOT / "tests/requirements.md").read_text()
    return [Row(line) for line in text.splitlines() if re.match(r"\| D\d", line)]


def check_rows(page, test):
    """Each series of each row that this test alone shows is on the page. How many rows."""
    rows = [r for r in requirements() if [t for t in r.tests if ".py:" in t] == [test]]
    missing = [(r.id, s) for r in rows for s in r.series if not find(page, s)]
    assert not missing, missing
    return len(rows)
