#include "exporter/logs/builtin_patterns.h"

#include <algorithm>

namespace skep::logs {
namespace {

constexpr BuiltinPattern kPatterns[] = {
    // Asked for with these expressions (case-insensitive, as their /i says).
    {"errors", "errors", "(?i)ERROR|FATAL|CRITICAL", Effect::kMatch},
    {"warnings", "warnings", "(?i)WARN|WARNING", Effect::kMatch},
    {"slow_queries", "slow_queries", R"((?i)query took \d{4,}ms)", Effect::kMatch},
    {"failures", "failures", "(?i)failed|timeout|refused", Effect::kMatch},

    // Asked for by name only; the expressions are ours.
    {"db_connection_errors", "db_connection_errors",
     R"((?i)\b(?:database|db|postgres(?:ql)?|mysql|mariadb|sqlite|mongo(?:db)?|redis)\b.{0,80}connect.{0,80}(?:error|fail|refused|timed? ?out|lost|closed|terminated)|too many connections|connection pool (?:exhausted|timeout)|could not connect to (?:the )?(?:database|server)|ECONNREFUSED.{0,40}:(?:5432|3306|27017|6379|1433)\b)",
     Effect::kMatch},
    {"api_timeouts", "api_timeouts",
     R"((?i)\b(?:api|https?|request|upstream|gateway|fetch)\b.{0,80}(?:timed out|timeout|deadline exceeded)|(?:timed out|timeout|deadline exceeded).{0,80}\b(?:api|request|upstream|gateway)\b|ETIMEDOUT)",
     Effect::kMatch},
    {"unexpected_exceptions", "unexpected_exceptions",
     R"((?i)unexpected (?:exception|error)|un(?:handled|caught) (?:exception|error|promise rejection|rejection)|unhandledrejection|uncaughtexception|traceback \(most recent call last\)|\bpanic: |exception in thread|segmentation fault|\b[a-z.]+exception: )",
     Effect::kMatch},
    {"memory_warnings", "memory_warnings",
     R"((?i)out of memory|outofmemory|heap limit|low memory|memory (?:pressure|leak|warning)|oom-kill|\bmemory\b.{0,40}(?:exceed|high|critical|above))",
     Effect::kMatch},
    {"authentication_failures", "authentication_failures",
     R"((?i)authentication fail|failed (?:password|login|log-in|authentication)|log-?in fail|invalid (?:credentials|password|token|user)\b|incorrect password|bad credentials|password mismatch|unauthorized)",
     Effect::kMatch},

    // The classes of errors after which trying again helps.
    {"error_classes", "ECONNREFUSED", R"(\bECONNREFUSED\b)", Effect::kErrorClass},
    {"error_classes", "ECONNRESET", R"(\bECONNRESET\b)", Effect::kErrorClass},
    {"error_classes", "ETIMEDOUT", R"(\bETIMEDOUT\b)", Effect::kErrorClass},
    {"error_classes", "ENOTFOUND", R"(\bENOTFOUND\b)", Effect::kErrorClass},
    {"error_classes", "SQLITE_BUSY", R"(\bSQLITE_BUSY\b)", Effect::kErrorClass},
    {"error_classes", "SQLITE_LOCKED", R"(\bSQLITE_LOCKED\b)", Effect::kErrorClass},
    {"error_classes", "timeout", "(?i)timeout", Effect::kErrorClass},
    {"error_classes", "network", "(?i)network", Effect::kErrorClass},
    {"error_classes", "temporary", "(?i)temporary", Effect::kErrorClass},

    // sshd tells one failure in several lines; the one that each failed try has is counted, and
    // syslog's summary of repeats by its number.
    {"auth", "sshd",
     R"((?:message repeated (?P<times>\d+) times: \[ )?Failed (?:password|publickey|keyboard-interactive/pam|hostbased|gssapi-with-mic) for )",
     Effect::kAuthFailure},
    {"auth", "sudo", R"(\bsudo(?:\[\d+\])?: .*\b(?P<times>\d+) incorrect password attempts?\b)",
     Effect::kAuthFailure},
    {"auth", "su", R"(\bpam_unix\(su(?:-l)?:auth\): authentication failure)", Effect::kAuthFailure},
    {"auth", "http",
     R"(user "[^"]*"(?:: password mismatch| was not found in )|AH0161[78]: |AH01790: )",
     Effect::kAuthFailure},
    {"auth", "application",
     R"((?i)\b(?:log-?in|sign-?in) (?:attempt )?(?:failed|failure)|failed (?:log-?in|sign-?in)|invalid (?:credentials|username or password|password)|bad credentials|incorrect password\b)",
     Effect::kAuthFailure},

    {"security", "invalid_user", R"(sshd\S*: Invalid user )", Effect::kSecurityEvent},
    {"security", "sudo_denied",
     R"(\bsudo(?:\[\d+\])?: .*(?:user NOT in sudoers|command not allowed))",
     Effect::kSecurityEvent},
    {"security", "injection",
     R"((?i)union(?:\s|\+|%20)+(?:all(?:\s|\+|%20)+)?select|sql injection|(?:'|%27)(?: or |\+or\+|%20or%20)|(?: or |\+or\+|%20or%20)(?:'1'='1|1=1|1%3d1))",
     Effect::kSecurityEvent},
    {"security", "path_traversal", R"((?i)\.\./\.\./|%2e%2e(?:/|%2f)|/etc/passwd)",
     Effect::kSecurityEvent},
    {"security", "cross_site_scripting", R"((?i)<script|%3cscript)", Effect::kSecurityEvent},
    {"security", "csrf", R"((?i)csrf.{0,40}(?:mismatch|invalid|missing|fail)|invalid csrf)",
     Effect::kSecurityEvent},
    {"security", "blocked",
     R"(\[UFW BLOCK\]|(?i:modsecurity: access denied|rate limit exceeded|limiting requests))",
     Effect::kSecurityEvent},
    {"security", "access_denied", R"((?i)permission denied|access denied|forbidden by rule)",
     Effect::kSecurityEvent},

    {"jobs", "failed", R"((?i)\b(?:job|worker|cron)\b.{0,80}\b(?:failed|crashed|aborted)\b)",
     Effect::kJob},
    {"jobs", "completed",
     R"((?i)\b(?:job|worker|cron)\b.{0,80}\b(?:completed|succeeded|finished)\b)", Effect::kJob},

    {"queries", "took", R"((?i)query took (?P<ms>\d+(?:\.\d+)?) ?ms)", Effect::kQuery},
    {"queries", "postgres", R"(duration: (?P<ms>\d+(?:\.\d+)?) ms)", Effect::kQuery},
    {"queries", "mysql", R"(# Query_time: (?P<s>\d+(?:\.\d+)?))", Effect::kQuery},
    {"queries", "mongodb", R"("durationMillis":(?P<ms>\d+))", Effect::kQuery},
};

}  // namespace

std::span<const BuiltinPattern> BuiltinPatterns() { return kPatterns; }

std::vector<std::string> BuiltinSets() {
  std::vector<std::string> sets;
  for (const BuiltinPattern& pattern : kPatterns) {
    if (std::find(sets.begin(), sets.end(), pattern.set) == sets.end())
      sets.emplace_back(pattern.set);
  }
  return sets;
}

}  // namespace skep::logs
