#!/usr/bin/env python3
"""skep check rules, config and metrics beside Debian's promtool 2.42 over many small files, good and bad: the same exit status
and, of pages of metrics, the same findings. Where the two differ on purpose, DIFFERENT says why."""
import pathlib
import subprocess

from harness import BIN, main, need


def rule(fields):
    return "groups: [{name: g, rules: [{" + fields + "}]}]"


def record(fields):
    return rule("record: a, expr: up" + fields)


def alert(fields):
    return rule("alert: A, expr: up" + fields)


def expr(text):
    return rule(f"record: a, expr: '{text}'")


def job(fields):
    return "scrape_configs: [{job_name: j, " + fields + "}]"


def relabel(fields):
    return job("relabel_configs: [" + fields + "]")


def family(name, kind, samples=None):
    return f"# HELP {name} Help.\n# TYPE {name} {kind}\n" + (samples or f"{name} 1\n")


RULES = [
    "", "groups:", "groups: null", "groups: {}", "groups: 1", "[]", "- groups: []", "a", "groups: []\n---\ngroups: 7",
    "---\ngroups: []", "groups: [null]", "groups: [{}]", "groups: [{name: g}]", "groups: [{name: g, rules: null}]",
    "groups: [{name: g, rules: {}}]", "groups: [{name: g, rules: [null]}]", rule(""), "groups: [{name: g, nope: 1}]",
    "nope: 1", "groups: [{name: ''}]", "groups: [{name: 7}]", "groups: [{name: [a]}]", "groups: [{name: g, interval: 1m}]",
    "groups: [{name: g, interval: 0s}]", "groups: [{name: g, interval: -1m}]", "groups: [{name: g, interval: 1h30m}]",
    "groups: [{name: g, interval: 30m1h}]", "groups: [{name: g, interval: 60}]", "groups: [{name: g, limit: 5}]",
    "groups: [{name: g, limit: -5}]", "groups: [{name: g, limit: 1.5}]", "groups: [{name: g, limit: x}]", rule("record: a"),
    rule("expr: up"), rule("record: '', expr: up"), rule("alert: '', expr: up"), rule("record: a, alert: b, expr: up"),
    expr(""), rule("record: a, expr: 1"), rule("record: a, expr: [1]"), rule("record: a, expr: {a: b}"),
    rule("record: 'a:b', expr: up"), rule('record: \'a{b="c"}\', expr: up'), record(", for: 1m"), record(", for: 0s"),
    record(", annotations: {a: b}"), record(", annotations: {}"), record(", labels: {}"), record(", labels: null"),
    record(", labels: []"), record(", labels: {a: 1}"), record(", labels: {a: null}"), record(", labels: {__name__: x}"),
    record(", labels: {a: [b]}"), rule("record: a, expr: up, labels: {a: '{{'}"), record(", labels: {a: b, a: c}"),
    alert(", for: 5m"), alert(", for: five"), alert(", for: 5"), alert(", for: ''"), alert(", for: null"),
    rule("alert: A, expr: up, labels: {alertname: x}"), alert(", labels: {a: '{{ $labels.b }}'}"),
    alert(", labels: {a: '{{ .Labels.b }}'}"), alert(", labels: {a: '{{'}"), alert(", labels: {a: '{{ $nope }}'}"),
    alert(", labels: {a: '{{ nope }}'}"), alert(", labels: {a: '{{ if }}'}"), alert(", annotations: {a: '{{ end }}'}"),
    alert(", annotations: {a: '{{ .Nope }}'}"), alert(", annotations: {a: '{{ $value | humanize }}'}"),
    alert(', annotations: {a: \'{{ query "up" }}\'}'), alert(', annotations: {a: \'{{ printf "%s" 1 2 }}\'}'),
    alert(", annotations: {a: '{{ $externalLabels.a }} {{ $externalURL }}'}"),
    alert(', annotations: {a: \'{{ template "x" }}\'}'), alert(", annotations: {a: 1}"), alert(", annotations: {a: ''}"),
    alert(", annotations: {'': x}"), alert(", labels: {'': x}"), expr("rate(up)"), expr("up[5m]"), expr('"x"'),
    expr("up offset 5"), expr("sum by (a) (up) / on (a) group_left up"), expr('up{a=~"("}'), expr("{}"), expr("nope(up)"),
    expr("up @ 5"), expr("up == bool 1"), expr("1 == 1"), expr("histogram_quantile(0.9, up)"), expr("up or 1"),
    expr('count_values("a b", up)'), expr('label_replace(up, "a", "$1", "b", "(.*)")'), expr("1e"), expr("-up^2"),
    expr("up[5m:]"), expr("sum(up"), expr("up # c"), rule('record: a, expr: "up{a=\'\\\\\'b\'}"'),
    "groups: [{name: g}, {name: g}]", "groups: [{name: a}, {name: b}]", rule("record: a, expr: up}, {record: a, expr: up"),
    rule("record: a, expr: up}, {record: a, expr: up, labels: {x: y}"), rule("record: a, expr: up}, {alert: a, expr: up"),
    rule("alert: a, expr: up, labels: {s: t}}, {alert: a, expr: up, for: 1m, labels: {s: t}"),
    "groups: [{name: a, rules: [{record: a, expr: up}]}, {name: b, rules: [{record: a, expr: up}]}]",
    "x: &x {record: a, expr: up}\ngroups: []", "groups:\n- &g {name: a}\n- {<<: *g, name: b}",
    "groups: [{name: g, rules: [&r {record: a, expr: up}, *r]}]", "groups: [{name: g, rules: [{record: a, expr: up}],}]",
    "groups: {name: g}", "groups:\n- name: g\n   rules: []", "groups:\n\t- name: g", "groups: [", "groups: []\n...\n",
    "%YAML 1.1\n---\ngroups: []", '{"groups": [{"name": "g", "rules": [{"record": "a", "expr": "up"}]}]}',
]

CONFIGS = [
    "", "global:", "global: {}", "global: []", "a", "[]", "nope: 1", "global: {nope: 1}", "global: {}\n---\nnope: 1",
    "global: {scrape_interval: 0s}", "global: {scrape_interval: x}", "global: {scrape_interval: 1m, scrape_timeout: 2m}",
    "global: {scrape_interval: 5s}", "global: {scrape_timeout: 5s}", "global: {evaluation_interval: 5s}",
    "global: {evaluation_interval: 0s}", "global: {external_labels: {a: b}}", "global: {external_labels: {'1a': b}}",
    "global: {external_labels: {a: '${HOME}'}}", "global: {external_labels: {a: 1}}", "global: {external_labels: [a]}",
    "global: {external_labels: {'a-b': c}}", "global: {query_log_file: q.log}", "global: {body_size_limit: 1MB}",
    "global: {sample_limit: 5}", "rule_files: r.yml", "rule_files: []", "rule_files: ['*.none']", "rule_files: [none.yml]",
    "rule_files: ['[.yml']", "rule_files: [good_rules.yml]", "rule_files: [bad_rules.yml]", "rule_files: [twice_rules.yml]",
    "rule_files: ['*_rules.yml']", "rule_files: ['good?rules.yml']", "rule_files: ['none?rules.yml']", "rule_files: [1]",
    "rule_files: [{a: b}]", "rule_files: ['g*/x.yml']", "rule_files: ['g*.yml/*.yml']", "scrape_configs:",
    "scrape_configs: {}", "scrape_configs: [null]", "scrape_configs: [{}]", "scrape_configs: [{job_name: ''}]",
    "scrape_configs: [{job_name: j}]", job("nope: 1"), "scrape_configs: [{job_name: a}, {job_name: b}]",
    "scrape_configs: [{job_name: a}, {job_name: a}]", job("scrape_interval: 5s"),
    job("scrape_interval: 5s, scrape_timeout: 10s"), job("scrape_timeout: 2m"), job("scrape_interval: 0s"),
    job("scrape_interval: 10m"), job("metrics_path: /x"), job("metrics_path: x"), job("scheme: https"),
    job("honor_labels: true"), job("honor_labels: maybe"), job("honor_timestamps: false"), job("params: {a: [b]}"),
    job("params: {a: b}"), job("sample_limit: 5"), job("sample_limit: -5"), job("sample_limit: x"),
    job("label_limit: 3, label_name_length_limit: 3, label_value_length_limit: 3, target_limit: 3"),
    job("body_size_limit: 10MB"), job("body_size_limit: 10"), job("body_size_limit: x"), job("static_configs: []"),
    job("static_configs: [{targets: [a]}]"), job("static_configs: [{targets: ['a:1', 'b:2'], labels: {x: y}}]"),
    job("static_configs: [{targets: a}]"), job("static_configs: [{targets: ['http://a']}]"),
    job("static_configs: [{targets: ['a/b']}]"), job("static_configs: [{targets: ['']}]"),
    job("static_configs: [{labels: {x: y}}]"), job("static_configs: [{targets: [a], nope: 1}]"),
    job("static_configs: [{targets: [a], labels: {'1': y}}]"), job("static_configs: [null]"),
    job("static_configs: [{targets: [a], labels: {__address__: 'b:1'}}]"),
    job("static_configs: [{targets: [a], labels: {__scheme__: ftp}}]"),
    job("static_configs: [{targets: [a], labels: {__scrape_interval__: x}}]"), job("file_sd_configs: [{files: [sd.yml]}]"),
    job("file_sd_configs: [{files: [sd.json]}]"), job("file_sd_configs: [{files: [bad_sd.yml]}]"),
    job("file_sd_configs: [{files: [none.yml]}]"), job("file_sd_configs: [{files: ['*sd.json']}]"),
    job("file_sd_configs: [{files: [sd.txt]}]"), job("file_sd_configs: [{files: []}]"), job("file_sd_configs: [{}]"),
    job("file_sd_configs: [{files: [sd.yml], refresh_interval: 5m}]"), job("file_sd_configs: [{files: ['*/sd.yml']}]"),
    job("file_sd_configs: [{files: ['sd*']}]"), relabel(""), relabel("null"), relabel("{}"),
    relabel("{action: replace, target_label: a}"), relabel("{action: replace}"), relabel("{action: keep}"),
    relabel("{action: drop, source_labels: [a], regex: b}"), relabel("{action: KEEP, source_labels: [a]}"),
    relabel("{action: nope}"), relabel("{regex: '('}"), relabel("{regex: 'a', target_label: b}"),
    relabel("{source_labels: [a], target_label: '1b'}"), relabel("{source_labels: [a], target_label: '${1}'}"),
    relabel("{source_labels: [a], target_label: 'a-b'}"), relabel("{source_labels: ['a-b'], target_label: c}"),
    relabel("{source_labels: a, target_label: c}"),
    relabel("{action: hashmod, source_labels: [a], target_label: b, modulus: 4}"),
    relabel("{action: hashmod, source_labels: [a], target_label: b}"),
    relabel("{action: hashmod, source_labels: [a], modulus: 4}"), relabel("{action: labelmap, regex: '(.+)'}"),
    relabel("{action: labelmap, regex: '(.+)', replacement: '1$1'}"),
    relabel("{action: labelmap, regex: a, replacement: '-'}"), relabel("{action: labeldrop, regex: a}"),
    relabel("{action: labeldrop, regex: a, source_labels: [b]}"), relabel("{action: labelkeep, regex: a, target_label: b}"),
    relabel("{action: lowercase, source_labels: [a], target_label: b}"), relabel("{action: uppercase, source_labels: [a]}"),
    relabel("{action: lowercase, source_labels: [a], target_label: b, replacement: c}"),
    relabel("{action: keepequal, source_labels: [a], target_label: b}"),
    relabel("{action: keepequal, source_labels: [a], target_label: b, regex: c}"),
    relabel("{action: dropequal, source_labels: [a]}"), relabel("{separator: ';', source_labels: [a, b], target_label: c}"),
    relabel("{replacement: '', target_label: c}"), relabel("{nope: 1}"),
    job("metric_relabel_configs: [{action: drop, regex: '['}]"), job("basic_auth: {username: a, password: b}"),
    job("basic_auth: {username: a, password_file: none}"), job("basic_auth: {username: a, password: b, password_file: c}"),
    job("bearer_token: x"), job("bearer_token: x, bearer_token_file: y"), job("authorization: {credentials: x}"),
    job("authorization: {type: basic, credentials: x}"), job("authorization: {credentials_file: none}"),
    job("authorization: {credentials_file: sd.yml}"), job("authorization: {credentials: x, credentials_file: y}"),
    job("basic_auth: {username: a}, authorization: {credentials: x}"), job("tls_config: {ca_file: none}"),
    job("tls_config: {cert_file: a}"), job("tls_config: {key_file: a}"),
    job("tls_config: {cert_file: none, key_file: none}"), job("tls_config: {cert_file: sd.yml, key_file: sd.yml}"),
    job("tls_config: {insecure_skip_verify: true}"), job("tls_config: {min_version: TLS12}"),
    job("tls_config: {min_version: TLS9}"), job("proxy_url: 'http://p:1'"), job("proxy_url: '::'"),
    job("follow_redirects: false"), job("enable_http2: false"), "alerting:", "alerting: {alertmanagers: []}",
    "alerting: {alertmanagers: [{static_configs: [{targets: ['a:1']}]}]}", "alerting: {alertmanagers: [{api_version: v2}]}",
    "alerting: {alertmanagers: [{api_version: v7}]}", "alerting: {alertmanagers: [{path_prefix: /x, timeout: 5s}]}",
    "alerting: {alertmanagers: [{timeout: x}]}", "alerting: {alertmanagers: [{scheme: https}]}",
    "alerting: {alertmanagers: [{nope: 1}]}",
    "alerting: {alert_relabel_configs: [{action: drop, source_labels: [a], regex: b}]}",
    "alerting: {alert_relabel_configs: [{action: nope}]}", "alerting: {nope: 1}",
    "alerting: {alertmanagers: [{static_configs: [{targets: ['http://a']}]}]}",
    "alerting: {alertmanagers: [{file_sd_configs: [{files: [bad_sd.yml]}]}]}",
    "alerting: {alertmanagers: [{file_sd_configs: [{files: [none.yml]}]}]}", "global: {scrape_interval: 5s", "\tglobal:",
    "global: {scrape_interval: 5s}\nglobal: {}",
]

PAGES = [
    "", "\n", "# comment\n", "a 1\n", "a_total 1\n", family("a_total", "counter"), family("a", "counter"),
    "# TYPE a_total counter\na_total 1\n", "# HELP a_total\n# TYPE a_total counter\na_total 1\n",
    family("a_total", "gauge"), "# HELP a Help.\na 1\n", family("a_milliseconds", "gauge"), family("a_kb", "gauge"),
    family("a_kilobytes", "gauge"), family("a_minutes", "gauge"), family("a_celsius", "gauge"),
    family("a_fahrenheit", "gauge"), family("a_percent", "gauge"), family("aB", "gauge"), family("a:b", "gauge"),
    family("a_gauge", "gauge"), family("counter_total", "counter"), family("a_counter_total", "counter"),
    family("a_histogram", "histogram", 'a_histogram_bucket{le="+Inf"} 1\na_histogram_sum 1\na_histogram_count 1\n'),
    family("a", "histogram", 'a_bucket{le="+Inf"} 1\na_sum 1\na_count 1\n'), family("a_count", "gauge"),
    family("a_sum", "counter"), family("a_bucket", "gauge", 'a_bucket{le="1"} 1\n'), family("a", "gauge", 'a{le="1"} 1\n'),
    family("a", "gauge", 'a{quantile="0.5"} 1\n'), family("a", "summary", 'a{quantile="0.5"} 1\na_sum 1\na_count 1\n'),
    family("a", "gauge", 'a{camelCase="1"} 1\n'), family("a", "gauge", 'a{a_seconds="1"} 1\n'),
    family("a", "gauge", "a 1\na 1\n"), family("a", "gauge", 'a{b="1"} 1\na{b="1"} 2\n'),
    '# HELP a Help.\n# TYPE a gauge\na 1\n# HELP b Help.\n# TYPE b gauge\nb 1\na{x="y"} 1\n',
    "# HELP a Help.\n# HELP a Help.\n# TYPE a gauge\na 1\n", "# TYPE a gauge\n# TYPE a gauge\na 1\n",
    "# TYPE a nope\na 1\n", "# TYPE a gauge\na_total 1\n", "a 1\n# TYPE a gauge\n", "a{ 1\n", "a{b} 1\n", "a{b=c} 1\n",
    'a{b="c} 1\n', 'a{b="c",} 1\n', 'a{b="c" d="e"} 1\n', "a\n", "a x\n", "a 1 x\n", "a 1 1000\n", "a 1 1000 x\n", "1a 1\n",
    "a-b 1\n", "a NaN\n", "a +Inf\n", "a 0x1\n", "a 1e3\n", "a 1", "a 1\r\n", '{a="b"} 1\n', 'a{__name__="b"} 1\n',
    'a{b="\\x"} 1\n', 'a{b="\\n"} 1\n', 'a{b="c",b="d"} 1\n', " a 1\n", "a\t1\n", 'a{b="ÿ"} 1\n',
    '# HELP http_requests_total Help.\n# TYPE http_requests_total counter\nhttp_requests_total{code="200"} 1\n# HELP http_request_duration_seconds Help.\n# TYPE http_request_duration_seconds histogram\nhttp_request_duration_seconds_bucket{le="1"} 1\nhttp_request_duration_seconds_bucket{le="+Inf"} 2\nhttp_request_duration_seconds_sum 3\nhttp_request_duration_seconds_count 2\n',
    family("a_seconds_total", "counter"), family("a_info", "gauge"), family("a_ratio", "gauge"),
    family("disk_bytes_used", "gauge"), '# HELP a \\"\n', "# HELP a \\x\n# TYPE a gauge\na 1\n", "# comment", "# HELP a b",
    'a{b="\\\\"} 1\n',
]

DIFFERENT = {
    # YAML's reader of promtool cuts it to 1.
    "groups: [{name: g, limit: 1.5}]",
    # Prometheus 3: a number is a duration in seconds, names are UTF-8, limits may stand in global.
    expr("up offset 5"),
    "global: {external_labels: {'1a': b}}", "global: {external_labels: {'a-b': c}}",
    job("static_configs: [{targets: [a], labels: {'1': y}}]"),
    relabel("{source_labels: [a], target_label: '1b'}"), relabel("{source_labels: [a], target_label: 'a-b'}"),
    relabel("{source_labels: ['a-b'], target_label: c}"), relabel("{action: labelmap, regex: '(.+)', replacement: '1$1'}"),
    relabel("{action: labelmap, regex: a, replacement: '-'}"),
    "global: {body_size_limit: 1MB}", "global: {sample_limit: 5}",
    # It refuses a scheme of a target only where the target has no port.
    job("static_configs: [{targets: [a], labels: {__scheme__: ftp}}]"),
    # A size without a unit is one in bytes.
    job("body_size_limit: 10"),
    # We refuse what we do not do, what would be overlooked, and a file that scrapes would miss.
    "global: {query_log_file: q.log}", "global: {}\n---\nnope: 1",
    job("basic_auth: {username: a, password_file: none}"), job("tls_config: {ca_file: none}"),
}
FILES = {
    "good_rules.yml": record(""), "bad_rules.yml": expr("sum("),
    "twice_rules.yml": rule("record: a, expr: up}, {record: a, expr: up"),
    "sd.yml": "- targets: ['a:1']\n  labels: {x: y}", "sd.json": '[{"targets": ["a:1"]}]', "sd.txt": '[{"targets": ["a:1"]}]',
    "bad_sd.yml": "- targets: 7",
}


# What text/template has, and what Prometheus's template reference lists.
TEMPLATE_FUNCTIONS = """and call html index slice js len not or print printf println urlquery eq ne lt le gt ge break continue
query first label value sortByLabel strvalue humanize humanize1024 humanizeDuration humanizePercentage humanizeTimestamp toTime
toDuration now title toUpper toLower stripPort match reReplaceAll graphLink tableLink parseDuration stripDomain urlQueryEscape args tmpl
safeHtml externalURL pathPrefix default env join quote toJson""".split()
DIFFERENT_FUNCTIONS = {
    "toDuration", "now", "urlQueryEscape",  # Prometheus 3 has them
    "tmpl",  # the alert generator's specification lets no file be refused for what consoles have
}


def run(program, *argv, text=None, cwd=None):
    done = subprocess.run([str(a) for a in (program, *argv)], input=text and text.encode("latin-1"), capture_output=True, timeout=60, cwd=cwd)
    return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


def compare(case, kind, texts, *flags):
    problems = []
    statuses = set()
    for text in texts:
        if text in DIFFERENT:
            continue
        path = case.write(f"{kind}.yml", text + "\n")
        theirs = run(need("promtool"), "check", kind, *flags, path, cwd=case.folder)
        ours = run(BIN / "skep", "check", kind, *flags, path, cwd=case.folder)
        statuses.add(ours[0])
        if ours[0] != theirs[0]:
            problems.append((flags, text, ours, theirs))
        if ours[0] == 1 and ".yml" not in ours[2]:
            problems.append((flags, text, "the error names no file", ours))
    assert not problems, "\n".join(map(repr, problems))
    return statuses


def rules_are_judged_as_promtool_does(case):
    assert compare(case, "rules", RULES) == {0, 1}
    several = [t for t in RULES if t.count("expr") > 1]
    assert compare(case, "rules", several, "--lint-fatal") >= {0, 3}
    assert compare(case, "rules", several, "--lint=none", "--lint-fatal") >= {0}
    assert compare(case, "rules", several, "--lint=all,nonsense", "--lint-fatal") >= {0, 3}


def templates_know_the_same_functions(case):
    verdicts = {}
    for name in TEMPLATE_FUNCTIONS:
        text = alert(", annotations: {a: '{{ if false }}{{ %s }}{{ end }}'}" % name)
        path = case.write("rules.yml", text + "\n")
        theirs, ours = run(need("promtool"), "check", "rules", path)[0], run(BIN / "skep", "check", "rules", path)[0]
        verdicts[name] = ours
        assert (ours != theirs) == (name in DIFFERENT_FUNCTIONS), (name, ours, theirs)
    assert {name for name, verdict in verdicts.items() if verdict} == {"break", "continue", "default", "env", "join", "quote", "toJson"}


def commands_of_ci_are_understood(case):
    """promtool's command lines, its own name replaced: flags in front of and behind the command."""
    rules, page = case.write("rules.yml", record("") + "\n"), family("a_total", "counter") + family("b", "gauge", 'b{x="1"} 1\nb{x="2"} 1\n')
    test = case.write("test.yml", f"rule_files: [{rules}]\ntests: [{{name: t}}]\n")
    config = case.write("prometheus.yml", f"rule_files: [{rules}]\n")
    for argv in (["--enable-feature=promql-at-modifier", "check", "rules", rules],
                 ["check", "rules", "--lint=all", "--lint-fatal", rules], ["check", "config", "--syntax-only", config],
                 ["check", "config", "--lint=none", "--lint-fatal", config], ["test", "rules", test]):
        assert run(need("promtool"), *argv)[0] == run(BIN / "skep", *argv)[0] == 0, argv
    theirs, ours = (run(program, "check", "metrics", "--extended", text=page) for program in (need("promtool"), BIN / "skep"))
    assert ours[:2] == theirs[:2] and ours[1].count("\n") == 4, (ours, theirs)
    # Prometheus 3's; the installed promtool does not know them.
    bad = page.replace("# HELP a_total Help.\n", "")
    assert run(BIN / "skep", "check", "metrics", text=bad)[0] == 3
    assert run(BIN / "skep", "check", "metrics", "--lint=none", "--extended", text=bad)[:2] == (0, theirs[1])
    assert run(BIN / "skep", "check", "metrics", "--lint=none", text=bad)[0] == 1
    assert run(BIN / "skep", "check", "rules", "--ignore-unknown-fields", case.write("more.yml", "groups: [{name: g, owner: me}]\n"))[0] == 0
    report = pathlib.Path(case.folder) / "junit.xml"
    assert run(BIN / "skep", "test", f"--junit={report}", "rules", test)[0] == 0 and "<testsuite" in report.read_text()
    agent = run(BIN / "skep", "check", "config", "--agent", config)
    assert agent[0] == 1 and "no agent mode" in agent[2], agent


def configurations_are_judged_as_promtool_does(case):
    for name, text in FILES.items():
        case.write(name, text + "\n")
    assert compare(case, "config", CONFIGS) == {0, 1}
    naming = [t for t in CONFIGS if "files" in t or "_file" in t or "targets" in t]
    assert compare(case, "config", naming, "--lint-fatal") == {0, 1, 3}
    not_refused_before = [t for t in naming if t != "rule_files: ['[.yml']"]
    assert compare(case, "config", not_refused_before, "--syntax-only") == {0, 1}


def pages_have_the_findings_of_promtool(case):
    problems = []
    for page in PAGES:
        theirs = run(need("promtool"), "check", "metrics", text=page)
        ours = run(BIN / "skep", "check", "metrics", text=page)
        if ours[0] != theirs[0] or (ours[0] == 3 and ours[2] != theirs[2]):
            problems.append((page, ours, theirs))
    assert not problems, "\n".join(map(repr, problems))


if __name__ == "__main__":
    main(rules_are_judged_as_promtool_does, templates_know_the_same_functions, configurations_are_judged_as_promtool_does,
         pages_have_the_findings_of_promtool, commands_of_ci_are_understood)
