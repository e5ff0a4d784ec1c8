#include "exporter/cmd/discover.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "common/base/file.h"
#include "common/base/number.h"
#include "common/base/quote.h"

namespace skep::exporter {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxProcesses = 50'000;
constexpr std::size_t kMaxDescriptors = 200'000;  // looked at, in all
constexpr std::size_t kMaxFiles = 64UL << 10;     // bytes of a file of /proc
constexpr std::size_t kMaxLogFiles = 1'000;       // of one kind

struct KnownProgram {
  std::string_view comm;  // a name that ends with '*' is a beginning
  std::string_view name;
  std::string_view what;
};

constexpr KnownProgram kPrograms[] = {
    {"apache2", "apache", "web server"},
    {"httpd", "apache", "web server"},
    {"caddy", "caddy", "web server"},
    {"claude", "claude", "Claude Code"},
    {"containerd", "containerd", "container runtime"},
    {"dockerd", "docker", "container runtime"},
    {"haproxy", "haproxy", "load balancer"},
    {"java", "java", "Java programs"},
    {"mariadbd", "mariadb", "database"},
    {"memcached", "memcached", "cache"},
    {"mongod", "mongodb", "database"},
    {"mysqld", "mysql", "database"},
    {"nginx", "nginx", "web server"},
    {"node", "node", "Node programs"},
    {"php-fpm*", "php_fpm", "PHP programs"},
    {"postgres", "postgres", "database"},
    {"postmaster", "postgres", "database"},
    {"rabbitmq-server", "rabbitmq", "message queue"},
    {"redis-server", "redis", "cache, queue"},
    {"traefik", "traefik", "load balancer"},
    {"valkey-server", "valkey", "cache, queue"},
};

struct KnownLog {
  std::string_view name;
  std::string_view pattern;
  std::string_view format;
  std::string_view what;
};

constexpr KnownLog kLogs[] = {
    {"apache", "/var/log/apache2/*access.log", "apache", "requests that Apache has answered"},
    {"apache_errors", "/var/log/apache2/*error.log", "plain", "errors of Apache"},
    {"apache_rh", "/var/log/httpd/*access_log", "apache", "requests that Apache has answered"},
    {"apache_rh_errors", "/var/log/httpd/*error_log", "plain", "errors of Apache"},
    {"auth", "/var/log/auth.log", "plain", "log-ins"},
    {"haproxy", "/var/log/haproxy.log", "haproxy", "requests that HAProxy has passed on"},
    {"mysql", "/var/log/mysql/*error.log", "plain", "messages of MySQL or MariaDB"},
    {"nginx", "/var/log/nginx/*access.log", "nginx", "requests that nginx has answered"},
    {"nginx_errors", "/var/log/nginx/*error.log", "plain", "errors of nginx"},
    {"postgres", "/var/log/postgresql/*.log", "plain", "messages and slow queries of PostgreSQL"},
    {"redis", "/var/log/redis/*.log", "plain", "messages of Redis"},
    {"secure", "/var/log/secure", "plain", "log-ins"},
    {"syslog", "/var/log/syslog", "plain", "messages of the system"},
};

constexpr std::string_view kWorkFolders[] = {"/srv", "/opt", "/workspace", "/workspaces"};

const KnownProgram* FindProgram(std::string_view comm) {
  for (const KnownProgram& known : kPrograms) {
    if (known.comm == comm) return &known;
    if (known.comm.ends_with('*') &&
        comm.starts_with(known.comm.substr(0, known.comm.size() - 1))) {
      return &known;
    }
  }
  return nullptr;
}

std::vector<std::string> FoldersIn(const std::string& folder, std::size_t most) {
  std::vector<std::string> out;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end && out.size() < most;
       it.increment(error)) {
    std::error_code ignored;
    if (it->is_directory(ignored) && !it->is_symlink(ignored)) out.push_back(it->path().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool IsFile(const std::string& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The words of a command line, which the kernel ends with zero bytes.
std::vector<std::string_view> SplitArguments(std::string_view cmdline) {
  std::vector<std::string_view> out;
  while (!cmdline.empty()) {
    const std::size_t end = std::min(cmdline.find('\0'), cmdline.size());
    out.push_back(cmdline.substr(0, end));
    cmdline.remove_prefix(std::min(end + 1, cmdline.size()));
  }
  return out;
}

// The port of `claude-flow mcp start -t http`; nothing for any other command line. It is all that
// is taken from arguments.
std::optional<std::uint16_t> McpPort(std::string_view cmdline) {
  const std::vector<std::string_view> words = SplitArguments(cmdline);
  const auto has = [&words](auto test) { return std::any_of(words.begin(), words.end(), test); };
  const bool is_swarm = has([](std::string_view word) {
    return word.find("claude-flow") != word.npos || word.find("ruflo") != word.npos;
  });
  const auto is = [](std::string_view wanted) {
    return [wanted](std::string_view word) { return word == wanted; };
  };
  if (!is_swarm || !has(is("mcp")) || !has(is("http"))) return std::nullopt;
  std::uint16_t port = 3000;  // claude-flow's default
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::string_view value;
    if ((words[i] == "-p" || words[i] == "--port") && i + 1 < words.size()) value = words[i + 1];
    if (words[i].starts_with("--port=")) value = words[i].substr(7);
    const std::optional<std::uint64_t> number = ParseUint(value);
    if (number && *number > 0 && *number < 65536) port = static_cast<std::uint16_t>(*number);
  }
  return port;
}

// Ports that are listened on, by the inode of the socket, out of /proc/net/tcp and tcp6:
//   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0  0 12345 1 ...
void ReadListeners(const std::string& path, std::map<std::uint64_t, std::uint16_t>& out) {
  const Result<std::string> text = ReadFile(path, 16UL << 20);
  if (!text) return;
  for (std::string_view left = *text; !left.empty();) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    std::vector<std::string_view> words;
    for (std::string_view line = left.substr(0, end); !line.empty() && words.size() < 10;) {
      const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
      line.remove_prefix(begin);
      const std::size_t stop = std::min(line.find(' '), line.size());
      if (stop > 0) words.push_back(line.substr(0, stop));
      line.remove_prefix(stop);
    }
    left.remove_prefix(std::min(end + 1, left.size()));
    if (words.size() < 10 || words[3] != "0A") continue;
    const std::size_t colon = words[1].rfind(':');
    const std::optional<std::uint64_t> inode = ParseUint(words[9]);
    unsigned port = 0;
    const std::string_view digits = words[1].substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), port, 16);
    if (inode && port > 0 && port < 65536) out[*inode] = static_cast<std::uint16_t>(port);
  }
}

class Finder {
 public:
  Finder(const DiscoverRequest& request, const Clock& clock)
      : request_(request), clock_(clock), end_(clock.SteadyNow() + request.max_time) {}

  Findings Run() {
    FindHomes();
    FindLogs();
    FindTextfile();
    FindProcesses();
    FindWorkspaces();
    return std::move(findings_);
  }

 private:
  std::string At(std::string_view path) const { return request_.root + std::string(path); }

  // Whether there is time left; if not, the findings are known to be incomplete.
  bool MayGoOn() {
    if (clock_.SteadyNow() < end_) return true;
    findings_.complete = false;
    return false;
  }

  void FindHomes() {
    homes_ = FoldersIn(At("/home"), 1'000);
    homes_.push_back(At("/root"));
    const char* const home = std::getenv("HOME");
    if (request_.root.empty() && home != nullptr && home[0] == '/') homes_.emplace_back(home);
    std::sort(homes_.begin(), homes_.end());
    homes_.erase(std::unique(homes_.begin(), homes_.end()), homes_.end());
    for (const std::string& folder : homes_) {
      if (IsFolder(folder + "/.claude/projects")) {
        findings_.transcripts.push_back(folder + "/.claude/projects");
      }
      if (IsFile(folder + "/.claude-flow/ai-budget.json")) {
        findings_.budgets.push_back(folder + "/.claude-flow");
      }
    }
  }

  void FindLogs() {
    findings_.has_journal = IsFolder(At("/var/log/journal")) || IsFolder(At("/run/log/journal"));
    for (const KnownLog& known : kLogs) {
      if (!MayGoOn()) return;
      FoundLog log{std::string(known.name), At(known.pattern), std::string(known.format),
                   std::string(known.what)};
      const Result<std::vector<std::string>> paths = Glob(log.pattern);
      if (!paths) continue;
      for (const std::string& path : *paths) {
        if (log.files == kMaxLogFiles) break;
        if (!IsFile(path)) continue;
        ++log.files;
        if (::access(path.c_str(), R_OK) != 0) ++log.unreadable;
      }
      if (log.files > 0) findings_.logs.push_back(std::move(log));
    }
  }

  void FindTextfile() {
    for (const std::string_view path :
         {"/var/lib/prometheus/node-exporter", "/var/lib/node_exporter/textfile_collector"}) {
      if (IsFolder(At(path))) findings_.textfile_folder = At(path);
    }
  }

  void FindProcesses() {
    ReadListeners(At("/proc/net/tcp"), listeners_);
    ReadListeners(At("/proc/net/tcp6"), listeners_);
    std::error_code error;
    for (fs::directory_iterator it(At("/proc"), error), end; !error && it != end;
         it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (name.empty() || name[0] < '1' || name[0] > '9') continue;
      if (!MayGoOn()) return;
      if (findings_.processes == kMaxProcesses) {
        findings_.complete = false;
        return;
      }
      ++findings_.processes;
      LookAt(it->path().string());
    }
    for (auto& [name, program] : programs_) {
      program.ports.assign(ports_[name].begin(), ports_[name].end());
      findings_.programs.push_back(std::move(program));
    }
    for (const std::uint16_t port : mcp_) findings_.mcp.push_back({port});
  }

  void LookAt(const std::string& folder) {
    Result<std::string> comm = ReadFile(folder + "/comm", kMaxFiles);
    if (!comm) return;
    while (comm->ends_with('\n')) comm->pop_back();
    const KnownProgram* const known = FindProgram(*comm);
    const bool is_node = *comm == "node" || comm->starts_with("npm") || comm->starts_with("claude");
    if (is_node) {
      if (const Result<std::string> cmdline = ReadFile(folder + "/cmdline", kMaxFiles)) {
        if (const std::optional<std::uint16_t> port = McpPort(*cmdline)) mcp_.insert(*port);
      }
    }
    if (known == nullptr) return;
    FoundProgram& program = programs_[std::string(known->name)];
    program.name = known->name;
    program.comm = known->comm;
    program.what = known->what;
    ++program.processes;
    FindPorts(folder, ports_[program.name]);
  }

  // Those of other users' processes are seen by root only.
  void FindPorts(const std::string& folder, std::set<std::uint16_t>& ports) {
    if (listeners_.empty()) return;
    std::error_code error;
    for (fs::directory_iterator it(folder + "/fd", error), end; !error && it != end;
         it.increment(error)) {
      if (++descriptors_ > kMaxDescriptors || !MayGoOn()) {
        findings_.complete = false;
        return;
      }
      std::error_code ignored;
      const std::string target = fs::read_symlink(it->path(), ignored).string();
      if (!target.starts_with("socket:[")) continue;
      const std::optional<std::uint64_t> inode =
          ParseUint(std::string_view(target).substr(8, target.size() - 9));
      const auto found = inode ? listeners_.find(*inode) : listeners_.end();
      if (found != listeners_.end()) ports.insert(found->second);
    }
  }

  void FindWorkspaces() {
    stores::DiscoverOptions options;
    options.folders = request_.folders;
    if (options.folders.empty()) {
      options.folders = homes_;
      for (const std::string_view folder : kWorkFolders) {
        if (IsFolder(At(folder))) options.folders.push_back(At(folder));
      }
    }
    options.max_time =
        std::max(std::chrono::milliseconds(1),
                 std::chrono::duration_cast<std::chrono::milliseconds>(end_ - clock_.SteadyNow()));
    stores::Discovery found = stores::DiscoverWorkspaces(options, clock_);
    findings_.workspaces = std::move(found.workspaces);
    findings_.complete = findings_.complete && found.complete;
  }

  const DiscoverRequest& request_;
  const Clock& clock_;
  const Clock::Steady end_;
  Findings findings_;
  std::vector<std::string> homes_;
  std::map<std::uint64_t, std::uint16_t> listeners_;
  std::map<std::string, FoundProgram> programs_;
  std::map<std::string, std::set<std::uint16_t>> ports_;
  std::set<std::uint16_t> mcp_;
  std::size_t descriptors_ = 0;
};

// A path as a scalar of YAML that is no pattern of the shell: what would be one is left out.
bool IsPlainPath(std::string_view path) {
  return path.find_first_of("*?[]\\\n\r\t") == std::string_view::npos;
}

// The last element of a path as a short name, each name once.
class Names {
 public:
  std::string For(const std::string& path) {
    std::string name = fs::path(path).filename().string();
    for (char& c : name) {
      const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                         (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
      if (!plain) c = '_';
    }
    if (name.empty()) name = "workspace";
    std::string unique = name;
    for (int i = 2; !used_.insert(unique).second; ++i) unique = name + "_" + std::to_string(i);
    return unique;
  }

 private:
  std::set<std::string> used_;
};

std::string PortList(const std::vector<std::uint16_t>& ports) {
  std::string out;
  for (std::size_t i = 0; i < ports.size() && i < 10; ++i) {
    out += (i == 0 ? "" : ", ") + std::to_string(ports[i]);
  }
  return ports.size() > 10 ? out + ", ..." : out;
}

std::string CommPattern(std::string_view comm) {
  return comm.ends_with('*') ? std::string(comm.substr(0, comm.size() - 1)) + ".*"
                             : std::string(comm);
}

void FormatCollectors(const Findings& findings, std::string& out) {
  out += "\n# The machine itself is measured without being named here (node_exporter's names).\n";
  if (findings.programs.empty() && findings.textfile_folder.empty()) return;
  out += "collectors:\n";
  if (!findings.textfile_folder.empty()) {
    out += "  textfile: {directory: [" + Quote(findings.textfile_folder) + "]}\n";
  }
  if (findings.programs.empty()) return;
  out += "  process_group:\n    groups:\n";
  for (const FoundProgram& program : findings.programs) {
    out += "      # " + program.what + ", " + std::to_string(program.processes) +
           (program.processes == 1 ? " process" : " processes");
    if (!program.ports.empty()) out += ", listens on " + PortList(program.ports);
    out +=
        "\n      - {name: " + program.name + ", comm: " + Quote(CommPattern(program.comm)) + "}\n";
  }
}

void FormatLogs(const Findings& findings, std::string& out) {
  const bool any = std::any_of(findings.logs.begin(), findings.logs.end(),
                               [](const FoundLog& log) { return log.unreadable < log.files; });
  if (findings.logs.empty() && !findings.has_journal) return;
  out += "\n# Logs, followed from their present ends on.\n";
  if (any) out += "logs:\n  sources:\n";
  for (const FoundLog& log : findings.logs) {
    const bool usable = log.unreadable < log.files;
    const std::string_view mark = usable ? "    " : "#    ";
    out += std::string(mark) + "# " + log.what + ", " + std::to_string(log.files) +
           (log.files == 1 ? " file" : " files");
    if (log.unreadable > 0) {
      out += ", " + std::to_string(log.unreadable) + " of them not readable for this user";
    }
    out += "\n" + std::string(mark) + "- name: " + log.name + "\n";
    out += std::string(mark) + "  paths: [" + Quote(log.pattern) + "]\n";
    if (log.format != "plain") out += std::string(mark) + "  format: " + log.format + "\n";
    if (log.format == "nginx" || log.format == "apache") {
      out += std::string(mark) +
             "  # log_format: where the server's is not \"combined\"; with the "
             "time of a request there are latencies too\n";
    }
  }
  if (findings.has_journal) {
    out +=
        "# journald keeps binary files. To follow a unit, let it write text:\n"
        "#   journalctl --follow --output=json --unit=NAME > /var/log/NAME.json   (format: json)\n";
  }
}

void FormatWorkspaces(const Findings& findings, std::string& out) {
  if (findings.workspaces.empty()) return;
  Names names;
  out += "  workspaces:\n";
  for (const stores::FoundWorkspace& workspace : findings.workspaces) {
    std::string sources;
    for (const std::string& source : workspace.sources)
      sources += (sources.empty() ? "" : ", ") + source;
    const bool plain = IsPlainPath(workspace.path);
    out += plain ? "" : "    # The path has characters of a shell pattern; name it by a pattern:\n";
    out += std::string(plain ? "    " : "    # ") + "- {name: " + Quote(names.For(workspace.path)) +
           ", path: " + Quote(workspace.path) + "}  # " + sources + "\n";
  }
}

void FormatSwarm(const Findings& findings, std::string& out) {
  const bool any_workspace =
      std::any_of(findings.workspaces.begin(), findings.workspaces.end(),
                  [](const stores::FoundWorkspace& one) { return IsPlainPath(one.path); });
  if (!any_workspace && findings.transcripts.empty() && findings.budgets.empty() &&
      findings.mcp.empty()) {
    out += "\n# No workspace of claude-flow, no transcript of Claude Code.\n";
    return;
  }
  out += "\n# Swarms: workspaces of claude-flow and its relatives, read only.\nswarm:\n";
  if (any_workspace) FormatWorkspaces(findings, out);
  for (std::size_t i = 0; i < findings.budgets.size(); ++i) {
    out += std::string(i == 0 ? "" : "  # Another user's: ") + (i == 0 ? "  " : "") +
           "ai_budget: {folder: " + Quote(findings.budgets[i]) + "}\n";
  }
  if (!findings.mcp.empty()) {
    out += "  mcp:\n";
    for (const FoundMcpServer& server : findings.mcp) {
      const std::string port = std::to_string(server.port);
      out += "    - {name: mcp_" + port + ", url: \"http://127.0.0.1:" + port + "\"}\n";
    }
  }
  if (findings.transcripts.empty()) return;
  out +=
      "  # Tokens of Claude Code where nobody has set up OpenTelemetry; texts are not read.\n"
      "  transcripts:\n    folders:\n";
  for (const std::string& folder : findings.transcripts) out += "      - " + Quote(folder) + "\n";
}

}  // namespace

Findings Discover(const DiscoverRequest& request, const Clock& clock) {
  return Finder(request, clock).Run();
}

std::string FormatFindings(const Findings& findings) {
  std::string out =
      "# What skep-exporter discover found: a configuration to start from.\n"
      "#   skep-exporter discover > exporter.yml; skep-exporter check exporter.yml;\n"
      "#   skep-exporter --config.file=exporter.yml\n";
  out += "# " + std::to_string(findings.processes) + " processes looked at.\n";
  if (!findings.complete) {
    out += "# There was more than could be looked at in the time given (--max-time, --folder).\n";
  }
  out +=
      "\n# Counters of pushes and logs survive a restart in this folder; without it they begin "
      "anew.\n"
      "# state: {path: /var/lib/skep-exporter}\n"
      "\n# OTLP at /v1/metrics, /v1/logs, /v1/traces, events at /v1/events, hooks of Claude Code: "
      "on as "
      "they are.\n"
      "# ingest: {bearer_token_file: /etc/skep/ingest.token}\n";
  FormatCollectors(findings, out);
  FormatLogs(findings, out);
  FormatSwarm(findings, out);
  return out;
}

int RunDiscover(int argc, const char* const* argv, const Clock& clock) {
  CLI::App app("Looks at the machine and prints a configuration to start from. Reads only.",
               "skep-exporter discover");
  DiscoverRequest request;
  double max_seconds = 10;
  app.add_option("--folder", request.folders,
                 "Where to look for workspaces of swarms; repeatable; default: homes, /srv, /opt, "
                 "/workspace")
      ->allow_extra_args(false);
  app.add_option("--max-time", max_seconds, "Seconds after which it prints what it has")
      ->check(CLI::Range(0.01, 600.0))
      ->capture_default_str();
  app.add_option("--root", request.root, "Look at the file system that begins there instead");
  try {
    app.parse(argc, argv);
    for (std::string& folder : request.folders) folder = fs::absolute(folder).lexically_normal();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  while (request.root.ends_with('/')) request.root.pop_back();
  request.max_time = std::chrono::milliseconds(static_cast<std::int64_t>(max_seconds * 1e3));
  const std::string text = FormatFindings(Discover(request, clock));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace skep::exporter
