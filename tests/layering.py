#!/usr/bin/env python3
"""Holds the house to its plan: every #include between our folders must be a declared dependency of the folder (DEPENDS in
its CMakeLists.txt), every declared dependency must be allowed by the table below, third-party libraries stay with their one
user, and every *_test.cc and *_fuzz.cc is listed in a CMakeLists.txt."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# folder: what it may include, beyond common/base and common/model. The order is the order of layers: a folder includes
# only folders above it.
TABLE = {
    "common/base": "",
    "common/model": "",
    "common/json": "",
    "common/yaml": "",
    "common/net": "common/yaml",
    "common/exposition": "",
    "common/protobuf": "",
    "common/instrument": "common/exposition",
    "exporter/registry": "common/exposition common/instrument",
    "exporter/collectors": "exporter/registry common/exposition common/net common/json common/yaml common/instrument",
    "exporter/state": "common/exposition common/instrument",
    "exporter/logs": "exporter/registry exporter/state common/exposition common/json common/yaml common/instrument",
    "exporter/swarm": "exporter/registry exporter/state common/exposition common/instrument",
    "exporter/ingest": "exporter/registry exporter/state exporter/swarm common/exposition common/net common/protobuf common/json "
                       "common/yaml common/instrument",
    "exporter/stores": "exporter/registry exporter/state exporter/swarm exporter/collectors common/exposition common/net "
                       "common/json common/yaml common/instrument",
    "exporter/cmd": "exporter/* common/*",
    "evaluator/storage": "",
    "evaluator/promql": "",
    "evaluator/tsdb": "evaluator/storage common/instrument",
    "evaluator/prometheusblock": "evaluator/storage evaluator/tsdb common/json",
    "evaluator/intake": "evaluator/storage common/exposition common/protobuf common/net common/instrument",
    "evaluator/transfer": "evaluator/storage evaluator/tsdb evaluator/prometheusblock evaluator/intake common/exposition "
                          "common/net",
    "evaluator/engine": "evaluator/storage evaluator/promql common/instrument",
    "evaluator/promqltest": "evaluator/engine evaluator/promql evaluator/storage",
    "evaluator/scrape": "evaluator/storage common/exposition common/net common/json common/yaml common/instrument",
    "evaluator/template": "common/json",
    "evaluator/rules": "evaluator/promql evaluator/template evaluator/storage common/yaml common/instrument",
    "evaluator/rulequery": "evaluator/rules evaluator/engine evaluator/promql evaluator/storage",
    "evaluator/ruletest": "evaluator/rulequery evaluator/rules evaluator/promqltest evaluator/engine evaluator/promql "
                          "evaluator/tsdb evaluator/storage common/yaml",
    "evaluator/notifier": "evaluator/template common/json common/yaml common/instrument",
    "evaluator/receivers": "evaluator/notifier evaluator/template common/net common/json common/yaml common/instrument",
    "evaluator/api": "evaluator/engine evaluator/promql evaluator/storage evaluator/rules evaluator/scrape evaluator/notifier "
                     "common/net common/json common/instrument",
    "evaluator/config": "evaluator/scrape evaluator/rules evaluator/notifier evaluator/receivers common/yaml common/net",
    "evaluator/cmd": "evaluator/* common/*",
}

# header prefix: the folders that may see it.
ONE_USER = {
    "re2/": {"common/model"},
    "yaml-cpp/": {"common/yaml"},
    "civetweb.h": {"common/net"},
    "curl/": {"common/net"},
    "openssl/": {"common/net", "common/base"},
    "zlib.h": {"common/net", "exporter/state"},
    "crypt.h": {"common/net"},
    "fast_float/": {"common/base", "common/exposition"},
    "prometheus/": {"common/instrument"},
    "nlohmann/": {"common/json"},
    "rapidjson/": {"common/json"},
    "protozero/": {"common/protobuf"},
    "snappy.h": {"common/protobuf"},
    "sqlite3.h": {"exporter/stores"},
    "CLI/": {"exporter/cmd", "evaluator/cmd"},
}

# Headers that show a third-party header to .cc files of their own folder, and to nobody else: libcurl's functions have
# types that only its header can name.
PRIVATE_HEADERS = {"common/net/curl_library.h"}

problems = []


def folder_of(path):
    return str(path.relative_to(ROOT).parent)


def allowed(folder, other):
    if other in (folder, "common/base", "common/model"):
        return True
    return any(other == a or (a.endswith("/*") and other.startswith(a[:-1])) for a in TABLE[folder].split())


def declared_dependencies(cmake):
    """DEPENDS of all libraries and programs in one CMakeLists.txt, as folders."""
    names = set()
    text = re.sub(r"#.*", "", cmake.read_text())
    for block in re.findall(r"skep_(?:library|program)\(([^)]*)\)", text):
        words = block.split()
        if "DEPENDS" in words:
            for word in words[words.index("DEPENDS") + 1:]:
                if word == "PACKAGES" or word == "SOURCES":
                    break
                names.add(word)
    known = {t.replace("/", "_"): t for t in TABLE}
    return {known[n] for n in names if n in known}


def closure(folder, direct):
    """What a folder may include: CMake hands dependencies on, but an include needs a declaration of its own."""
    base = {"common/base", "common/model"} if folder != "common/base" else set()
    return direct | {folder} | base


order = list(TABLE)
for folder in order:
    path = ROOT / folder
    sources = sorted(path.glob("*.h")) + sorted(path.glob("*.cc")) if path.is_dir() else []
    if not sources:
        continue
    if not (path / "CMakeLists.txt").is_file():
        problems.append(f"{folder}: has sources but no CMakeLists.txt")
        continue
    direct = declared_dependencies(path / "CMakeLists.txt")
    for other in sorted(direct):
        if not allowed(folder, other):
            problems.append(f"{folder}/CMakeLists.txt: depends on {other}, which the table does not allow")
        if order.index(other) > order.index(folder):
            problems.append(f"{folder}/CMakeLists.txt: depends on {other}, which lies below it in the table")
    for source in sources:
        for number, line in enumerate(source.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+(["<])([^">]+)[">]', line)
            if not found:
                continue
            place = f"{source.relative_to(ROOT)}:{number}"
            name = found[2]
            if found[1] == '"':
                other = str(pathlib.PurePosixPath(name).parent)
                if name in PRIVATE_HEADERS and (other != folder or source.suffix == ".h"):
                    problems.append(f"{place}: includes {name}, which only .cc files of {other} may")
                if other not in TABLE:
                    problems.append(f"{place}: includes {name}, whose folder is not in the table")
                elif other not in closure(folder, direct):
                    problems.append(f"{place}: includes {name}, but {folder} does not declare {other}")
                elif not (ROOT / name).is_file():
                    problems.append(f"{place}: includes {name}, which does not exist")
            else:
                for prefix, users in ONE_USER.items():
                    if name.startswith(prefix) and folder not in users:
                        problems.append(f"{place}: includes <{name}>, which only {', '.join(sorted(users))} may")
                    if name.startswith(prefix) and source.suffix == ".h" and prefix != "CLI/" and str(source.relative_to(ROOT)) not in PRIVATE_HEADERS:
                        problems.append(f"{place}: <{name}> in a header; third-party headers stay in .cc files")

for area in ("common", "exporter", "evaluator"):
    for path in sorted((ROOT / area).rglob("*")):
        if path.suffix in (".h", ".cc") and folder_of(path) not in TABLE:
            problems.append(f"{path.relative_to(ROOT)}: folder is not in the table")

cmake_words = set()
for cmake in (ROOT / "tests").rglob("CMakeLists.txt"):
    text = re.sub(r"#.*", "", cmake.read_text())
    for word in re.findall(r"[\w./-]+\.cc", text):
        cmake_words.add((cmake.parent / word).resolve())
    for kind, word in re.findall(r"skep_(fuzz|bench)\((\w+)", text):
        cmake_words.add((cmake.parent / f"{word}_{kind}.cc").resolve())
for path in sorted((ROOT / "tests").rglob("*.cc")):
    if path.name.endswith(("_test.cc", "_fuzz.cc", "_bench.cc")) and path.resolve() not in cmake_words:
        problems.append(f"{path.relative_to(ROOT)}: in no CMakeLists.txt, so it is never built")

for problem in problems:
    print(problem)
print(f"{len(problems)} problems in {len(order)} folders")
sys.exit(1 if problems else 0)
