#include "lib/bexpr/regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "sdk/base/text.h"

namespace drover::bexpr {

namespace {
constexpr std::size_t max_pattern = 1024;
constexpr std::int64_t max_memory = 1 << 20;

std::string_view go_text(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape: return "invalid escape sequence";
    case RE2::ErrorBadCharClass: return "invalid character class";
    case RE2::ErrorBadCharRange: return "invalid character class range";
    case RE2::ErrorMissingBracket: return "missing closing ]";
    case RE2::ErrorMissingParen: return "missing closing )";
    case RE2::ErrorUnexpectedParen: return "unexpected )";
    case RE2::ErrorTrailingBackslash: return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument: return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize: return "invalid repeat count";
    case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8: return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture: return "invalid named capture";
    case RE2::ErrorPatternTooLarge: return "expression too large";
    default: return "internal error";
  }
}
}  // namespace

void compile_regex(Node& node) {
  if (node.value.size() > max_pattern) {
    node.regex_error = fmt::format("failed to compile regular expression: it has more than {} bytes", max_pattern);
    return;
  }
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_memory);
  auto regex = std::make_shared<RE2>(node.value, options);
  if (regex->ok()) {
    node.regex = std::move(regex);
    return;
  }
  // Go names the whole group that lacks its end.
  const auto argument = regex->error_code() == RE2::ErrorMissingParen || regex->error_code() == RE2::ErrorUnexpectedParen
                            ? node.value
                            : regex->error_arg();
  node.regex_error = fmt::format("failed to compile regular expression {}: error parsing regexp: {}: `{}`", quote(node.value),
                                 go_text(regex->error_code()), argument);
}

bool regex_matches(const Node& node, std::string_view text) {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *node.regex);
}

}  // namespace drover::bexpr
