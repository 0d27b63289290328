#include "lib/snapshot/s3_signature.h"

#include <doctest/doctest.h>

#include "lib/snapshot/hash.h"
#include "sdk/base/encoding.h"

using namespace drover;
using namespace drover::snapshot;

namespace {
// The examples that the signature's authors publish: keys, time and results are theirs.
const S3Credentials keys{.key_id = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", .session_token = ""};
constexpr std::int64_t then = 1369353600;  // 24 May 2013, midnight

std::string field(const Pairs& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return "";
}
std::string signature(const S3Request& request) {
  const std::string text = field(sign_s3(keys, "us-east-1", request, then), "Authorization");
  return text.substr(text.rfind('=') + 1);
}
const std::string empty = hex_encode(sha256(""));
const std::string host = "examplebucket.s3.amazonaws.com";
}  // namespace

TEST_CASE("S3 signature: a read of a part, with a field of its own") {
  const S3Request request{.method = "GET", .host = host, .path = "/test.txt", .query = {}, .headers = {{"Range", "bytes=0-9"}}, .payload_sha256 = empty};
  CHECK(signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const Pairs fields = sign_s3(keys, "us-east-1", request, then);
  CHECK(field(fields, "X-Amz-Date") == "20130524T000000Z");
  CHECK(field(fields, "Authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                                                   "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature="));
}

TEST_CASE("S3 signature: a write, its path encoded") {
  const S3Request request{.method = "PUT", .host = host, .path = "/test$file.text", .query = {},
                          .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"X-Amz-Storage-Class", "REDUCED_REDUNDANCY"}},
                          .payload_sha256 = hex_encode(sha256("Welcome to Amazon S3."))};
  CHECK(signature(request) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
  CHECK(s3_target(request) == "/test%24file.text");
}

TEST_CASE("S3 signature: a list, its query sorted") {
  const S3Request request{.method = "GET", .host = host, .path = "/", .query = {{"prefix", "J"}, {"max-keys", "2"}}, .headers = {}, .payload_sha256 = empty};
  CHECK(signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
  CHECK(s3_target(request) == "/?max-keys=2&prefix=J");
}

TEST_CASE("S3 signature: a session's token is sent and signed") {
  S3Credentials session = keys;
  session.session_token = "token";
  const Pairs fields = sign_s3(session, "us-east-1", {.method = "GET", .host = host, .path = "/", .query = {}, .headers = {}, .payload_sha256 = empty}, then);
  CHECK(field(fields, "X-Amz-Security-Token") == "token");
  CHECK(field(fields, "Authorization").find("x-amz-date;x-amz-security-token") != std::string::npos);
}
