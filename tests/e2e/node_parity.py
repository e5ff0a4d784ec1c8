#!/usr/bin/env python3
"""skep-exporter beside node_exporter: names, HELP, TYPE, labels and values of both pages, on this machine and on a tree of
hardware that it lacks; and promtool's opinion of both."""
import os
import re
import subprocess

import node_fixtures
from harness import free_port, get, main, need

# What may be on node_exporter's page and not on ours.
ONLY_THERE = {
    r"go_.*": "its runtime; ours is not Go",
    r"process_.*": "of its own process; ours are skep_exporter_process_*",
    r"promhttp_.*": "its HTTP library",
}
# What may be on ours and not on theirs.
ONLY_HERE = {
    r"skep_exporter_.*": "about ourselves",
    r"swarm_otlp_.*": "about what was sent to us",
    r"process_.*": "about ourselves",
    r"cgroup_.*": "collector of ours",
    r"process_group_.*": "collector of ours",
    r"node_zfs_dbuf_.*": "1.5 looks for dbuf_stats, the kernel's file is dbufstats",
}
# Series whose value or presence differs: (family, why).
DIFFERENT_SERIES = {
    r"node_exporter_build_info": "each tells its own version; labels are compared by name",
    r"node_scrape_collector_(duration_seconds|success)": "collectors of ours beside theirs; the common ones are compared",
    r"node_nfsd_requests_total": "1.5 shows operations 35 to 37 under the names of 37 to 39",
    r"node_time_seconds": "the clock goes on",
}
# Debian's package switches systemd on, node_exporter 1.5 itself does not.
NODE_EXPORTER_DEFAULTS = ["--no-collector.systemd"]

# Collectors that the fixtures feed.
FIXTURE_COLLECTORS = """arp bcache bonding btrfs dmi edac entropy fibrechannel hwmon infiniband ipvs mdadm nfs nfsd nvme
powersupplyclass rapl schedstat tapestats textfile thermal_zone udp_queues xfs zfs""".split()

SAMPLE = re.compile(r"^([^{ ]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_0-9]+)="((?:[^"\\]|\\.)*)"')


class Page:
    """A page in text 0.0.4: help and type by family, values by (name, labels). A label with an empty value is none."""

    def __init__(self, text):
        self.help, self.type, self.samples = {}, {}, {}
        for line in text.splitlines():
            if line.startswith("# HELP "):
                name, _, value = line[7:].partition(" ")
                assert name not in self.help, f"HELP of {name} twice"
                self.help[name] = value
            elif line.startswith("# TYPE "):
                name, _, value = line[7:].partition(" ")
                self.type[name] = value
            elif line:
                name, labels, value = SAMPLE.match(line).groups()
                key = (name, tuple(sorted((k, v) for k, v in LABEL.findall(labels or "") if v)))
                assert key not in self.samples, f"{key} twice"
                self.samples[key] = float(value)

    def family(self, name):
        if name in self.type:
            return name
        for suffix in ("_bucket", "_sum", "_count"):
            if name.removesuffix(suffix) in self.type:
                return name.removesuffix(suffix)
        raise AssertionError(f"{name} has no TYPE")


def listed(name, table):
    return any(re.fullmatch(pattern, name) for pattern in table)


def same(a, b):
    return a == b or (a != a and b != b) or abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def metadata_differences(theirs, ours):
    """Families with their HELP and TYPE."""
    found = []
    for name in sorted(set(theirs.type) | set(ours.type)):
        if name not in ours.type:
            if not listed(name, ONLY_THERE):
                found.append(f"family {name} is missing")
        elif name not in theirs.type:
            if not listed(name, ONLY_HERE):
                found.append(f"family {name} is not one of node_exporter's")
        elif listed(name, ONLY_THERE):
            continue  # of each program's own process
        else:
            for what, a, b in (("TYPE", theirs.type[name], ours.type[name]), ("HELP", theirs.help[name], ours.help[name])):
                if a != b:
                    found.append(f"{what} of {name}: {a!r} there, {b!r} here")
    return found


def series_differences(theirs, ours, again):
    """Label sets, and values of those that were equal on node_exporter's pages before and after ours."""
    found = []
    for name, labels in sorted(set(theirs.samples) | set(ours.samples)):
        page = theirs if (name, labels) in theirs.samples else ours
        family = page.family(name)
        if family not in theirs.type or family not in ours.type or listed(family, ONLY_THERE):
            continue
        if listed(family, DIFFERENT_SERIES):
            continue
        key = (name, labels)
        if key not in ours.samples:
            found.append(f"series {key} is missing")
        elif key not in theirs.samples:
            found.append(f"series {key} is not one of node_exporter's")
        elif same(theirs.samples[key], again.samples.get(key, float("nan"))):
            if not same(theirs.samples[key], ours.samples[key]):
                found.append(f"{key}: {theirs.samples[key]!r} there, {ours.samples[key]!r} here")
    return found


def node_exporter(case, *arguments):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    case.start(f"node-{port}", need("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}", *arguments,
               ready=url + "/")
    return url + "/metrics"


def page(url):
    status, _, text = get(url)
    assert status == 200, text
    return text


def compare(there, here, attempts):
    """A number may change and change back between the three scrapes: what counts is what differs every time."""
    lasting = None
    for _ in range(attempts):
        theirs, ours, again = Page(page(there)), Page(page(here)), Page(page(there))
        found = metadata_differences(theirs, ours) + series_differences(theirs, ours, again)
        # The number of open files counts those that the reader itself has open.
        found = [line for line in found if not re.fullmatch(r"\('node_filefd_allocated', \(\)\): \S+ there, \S+ here", line)]
        names = {re.sub(r": .*", "", line): line for line in found}
        lasting = names if lasting is None else {k: v for k, v in names.items() if k in lasting}
        if not lasting:
            break
    assert not lasting, f"{len(lasting)} differences:\n" + "\n".join(lasting.values())


def this_machine_is_told_alike(case):
    there = node_exporter(case, *NODE_EXPORTER_DEFAULTS)
    here = case.exporter()[0] + "/metrics"
    page(there), page(here)  # first scrapes open what later ones find open
    compare(there, here, 6)


def collectors_succeed_alike(case):
    theirs = Page(page(node_exporter(case, *NODE_EXPORTER_DEFAULTS)))
    ours = Page(page(case.exporter()[0] + "/metrics"))
    for (name, labels), value in theirs.samples.items():
        if name == "node_scrape_collector_success":
            assert ours.samples.get((name, labels)) == value, (labels, value, ours.samples.get((name, labels)))
    label_names = [{name for (n, labels) in p.samples if n == "node_exporter_build_info" for name, _ in labels}
                   for p in (theirs, ours)]
    assert "version" in label_names[1] and label_names[1] <= label_names[0] | {"version"}, label_names


def hardware_that_this_machine_lacks_is_told_alike(case):
    proc, sys, textfile = node_fixtures.make(os.path.join(case.folder, "machine"))
    arguments = [f"--path.procfs={proc}", f"--path.sysfs={sys}", f"--collector.textfile.directory={textfile}",
                 "--collector.disable-defaults", "--collector.bcache.priorityStats"]
    arguments += [f"--collector.{name}" for name in FIXTURE_COLLECTORS]
    there = node_exporter(case, *arguments)
    here = case.exporter(*arguments)[0] + "/metrics"
    compare(there, here, 1)
    ours = Page(page(here))
    for name in FIXTURE_COLLECTORS:
        key = ("node_scrape_collector_success", (("collector", name),))
        assert ours.samples[key] == 1, name
    write = ("node_nfsd_requests_total", (("method", "Write"), ("proto", "4")))
    assert ours.samples[write] == 538, ours.samples[write]  # operation 38 of RFC 7530


def promtool_finds_no_more_with_us(case):
    def findings(url):
        run = subprocess.run([need("promtool"), "check", "metrics"], input=page(url), capture_output=True, text=True,
                             check=False)
        assert run.returncode in (0, 3), run.stderr
        return {line for line in (run.stdout + run.stderr).splitlines() if line.strip()}

    theirs = findings(node_exporter(case, *NODE_EXPORTER_DEFAULTS))
    ours = findings(case.exporter()[0] + "/metrics")
    assert ours <= theirs, "\n".join(sorted(ours - theirs))


if __name__ == "__main__":
    main(this_machine_is_told_alike, collectors_succeed_alike, hardware_that_this_machine_lacks_is_told_alike,
         promtool_finds_no_more_with_us)
