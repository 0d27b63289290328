// Signature version 4 of requests to stores of objects (S3 and what speaks like it). Pure: the time is an argument.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drover::snapshot {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct S3Credentials {
  std::string key_id;
  std::string secret;
  std::string session_token;  // of temporary ones; empty otherwise
};

struct S3Request {
  std::string method;
  std::string host;            // as the Host field says it
  std::string path;            // decoded: "/bucket/key"
  Pairs query;                 // decoded
  Pairs headers;               // to be signed besides those that are added here
  std::string payload_sha256;  // in hex
};

// Path and query as they must be sent and are signed: every byte but letters, digits and -._~ encoded, the query sorted.
[[nodiscard]] std::string s3_target(const S3Request& request);
// The fields to add to the request: X-Amz-Date, X-Amz-Content-Sha256, Authorization and, with a session, X-Amz-Security-Token.
[[nodiscard]] Pairs sign_s3(const S3Credentials& credentials, std::string_view region, const S3Request& request, std::int64_t unix_seconds);

}  // namespace drover::snapshot
