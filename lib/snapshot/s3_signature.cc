#include "lib/snapshot/s3_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "lib/snapshot/hash.h"
#include "sdk/base/encoding.h"

namespace drover::snapshot {
namespace {

std::string encode(std::string_view text, bool keep_slash) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain || (keep_slash && c == '/')) out.push_back(c);
    else out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string encode_query(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query) encoded.emplace_back(encode(name, false), encode(value, false));
  std::ranges::sort(encoded);
  std::string out;
  for (const auto& [name, value] : encoded) out += (out.empty() ? "" : "&") + name + "=" + value;
  return out;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string format_time(std::int64_t unix_seconds, const char* form) {
  const std::time_t seconds = unix_seconds;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, form, &parts));
}

}  // namespace

std::string s3_target(const S3Request& request) {
  const std::string query = encode_query(request.query);
  return encode(request.path, true) + (query.empty() ? "" : "?" + query);
}

Pairs sign_s3(const S3Credentials& credentials, std::string_view region, const S3Request& request, std::int64_t unix_seconds) {
  const std::string date = format_time(unix_seconds, "%Y%m%d");
  const std::string time = format_time(unix_seconds, "%Y%m%dT%H%M%SZ");
  Pairs out{{"X-Amz-Content-Sha256", request.payload_sha256}, {"X-Amz-Date", time}};
  if (!credentials.session_token.empty()) out.emplace_back("X-Amz-Security-Token", credentials.session_token);
  Pairs fields{{"host", request.host}};
  for (const Pairs* some : {&request.headers, static_cast<const Pairs*>(&out)}) {
    for (const auto& [name, value] : *some) fields.emplace_back(lower(name), value);
  }
  std::ranges::sort(fields);
  std::string canonical_fields, names;
  for (const auto& [name, value] : fields) {
    canonical_fields += name + ":" + value + "\n";
    names += (names.empty() ? "" : ";") + name;
  }
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, encode(request.path, true), encode_query(request.query),
                                            canonical_fields, names, request.payload_sha256);
  const std::string scope = fmt::format("{}/{}/s3/aws4_request", date, region);
  const std::string text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", time, scope, hex_encode(sha256(canonical)));
  std::string key = "AWS4" + credentials.secret;
  for (const std::string_view part : {std::string_view(date), region, std::string_view("s3"), std::string_view("aws4_request"), std::string_view(text)}) {
    key = hmac_sha256(key, part);
  }
  out.emplace_back("Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{},SignedHeaders={},Signature={}", credentials.key_id, scope, names,
                                                hex_encode(key)));
  return out;
}

}  // namespace drover::snapshot
