#include "lib/lint/secrets.h"

#include <algorithm>
#include <array>
#include <string>

#include "sdk/base/text.h"

namespace drover::lint {

namespace {

// Names that end so hold the secret itself; "TOKEN_TTL" and "PASSWORD_FILE" do not.
constexpr std::array<std::string_view, 16> endings{"password", "passwd", "passphrase", "secret", "token", "apikey", "api_key", "access_key", "private_key",
                                                   "secret_key", "encryption_key", "signing_key", "credential", "credentials", "secret_id", "_pwd"};
// Values that are secrets whatever their name is: the heads that issuers give them.
constexpr std::array<std::string_view, 10> heads{"AKIA", "ASIA", "ghp_", "gho_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "sk_live_", "-----BEGIN "};

bool harmless(std::string_view value) {
  const std::string lower = to_lower(value);
  const bool word = lower == "true" || lower == "false" || lower == "yes" || lower == "no" || lower == "none" || lower == "null";
  const bool number = std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; }) && value.size() < 6;
  return word || number || value.starts_with('/') || value.starts_with("./") || (value.find("://") != std::string_view::npos && value.find('@') == std::string_view::npos);
}

// user:password@ in an address.
bool address_with_password(std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == std::string_view::npos) return false;
  const std::string_view rest = value.substr(scheme + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  const std::size_t at = authority.rfind('@');
  if (at == std::string_view::npos) return false;
  const std::size_t colon = authority.substr(0, at).find(':');
  return colon != std::string_view::npos && colon + 1 < at;
}

}  // namespace

bool looks_secret(std::string_view name, std::string_view value) {
  if (value.empty() || value.find("${") != std::string_view::npos || value.find("{{") != std::string_view::npos) return false;
  if (std::any_of(heads.begin(), heads.end(), [&](std::string_view head) { return value.starts_with(head) && value.size() > head.size() + 8; })) return true;
  if (address_with_password(value)) return true;
  if (harmless(value)) return false;
  const std::string lower = replace_all(to_lower(name), "-", "_");
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return lower.ends_with(ending); });
}

}  // namespace drover::lint
