#include "cli/snapshot_targets.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "cli/api_client.h"
#include "cli/snapshot_file.h"
#include "lib/http/url.h"
#include "lib/snapshot/hash.h"
#include "lib/snapshot/spool.h"
#include "sdk/base/clock.h"
#include "sdk/base/encoding.h"
#include "sdk/base/file.h"

namespace drover::cli {
namespace {
namespace fs = std::filesystem;

class LocalTarget final : public SnapshotTarget {
 public:
  explicit LocalTarget(std::string path) : path_(std::move(path)) {}
  const std::string& directory() const override { return path_; }
  Result<std::string> put(const std::string& name) override { return path_ + "/" + name; }
  Result<std::vector<std::string>> list(const std::string& prefix) override {
    std::vector<std::string> out;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path_, error)) {
      if (entry.path().filename().string().starts_with(prefix)) out.push_back(entry.path().filename().string());
    }
    if (error) return fail(errno_error(error.value(), fmt::format("listing \"{}\"", path_)));
    return out;
  }
  Result<> remove(const std::string& name) override {
    if (::unlink((path_ + "/" + name).c_str()) != 0) return fail_errno("removing \"{}/{}\"", path_, name);
    return {};
  }

 private:
  std::string path_;
};

// The texts of every element of that name. The store's answers have no attributes or entities in those that are asked for here.
std::vector<std::string> elements(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name), close = fmt::format("</{}>", name);
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = xml.find(open, at)) != std::string_view::npos;) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    out.emplace_back(xml.substr(at, end - at));
    at = end;
  }
  return out;
}

class S3Target final : public SnapshotTarget {
 public:
  S3Target(S3Storage storage, std::string host, TempDir directory)
      : storage_(std::move(storage)), host_(std::move(host)), directory_(std::move(directory)), client_(options()) {}
  const std::string& directory() const override { return directory_.path(); }

  Result<std::string> put(const std::string& name) override {
    const std::string path = directory_.path() + "/" + name;
    auto done = send_file(path, key_of(name));
    ::unlink(path.c_str());
    if (!done) return fail(done.error());
    return fmt::format("s3://{}/{}", storage_.bucket, key_of(name));
  }

  Result<std::vector<std::string>> list(const std::string& prefix) override {
    std::vector<std::string> out;
    std::string next;
    do {
      snapshot::S3Request request{.method = "GET", .host = host_, .path = "/" + storage_.bucket, .query = {{"list-type", "2"}, {"prefix", key_of(prefix)}},
                                  .headers = {}, .payload_sha256 = hex_encode(snapshot::sha256(""))};
      if (!next.empty()) request.query.emplace_back("continuation-token", next);
      auto answer = send(request, "", -1, 0);
      if (!answer) return fail(answer.error(), "listing bucket \"{}\"", storage_.bucket);
      const std::size_t behind = key_of("").size();
      for (const std::string& key : elements(answer->body, "Key")) {
        if (key.size() > behind) out.push_back(key.substr(behind));
      }
      const auto more = elements(answer->body, "NextContinuationToken");
      next = more.empty() ? "" : more[0];
    } while (!next.empty());
    return out;
  }

  Result<> remove(const std::string& name) override {
    auto answer = send({.method = "DELETE", .host = host_, .path = path_of(key_of(name)), .query = {}, .headers = {},
                        .payload_sha256 = hex_encode(snapshot::sha256(""))}, "", -1, 0);
    if (!answer) return fail(answer.error(), "removing \"{}\"", key_of(name));
    return {};
  }

 private:
  [[nodiscard]] GeneralOptions options() const {
    GeneralOptions out;
    out.address = storage_.endpoint;
    out.ca_cert = storage_.ca_cert;
    out.ca_path = storage_.ca_path;
    return out;
  }
  [[nodiscard]] std::string key_of(const std::string& name) const { return storage_.key_prefix.empty() ? name : storage_.key_prefix + "/" + name; }
  [[nodiscard]] std::string path_of(const std::string& key) const { return "/" + storage_.bucket + "/" + key; }

  Result<> send_file(const std::string& path, const std::string& key) {
    auto file = open_snapshot(path);
    if (!file) return fail(file.error());
    auto bytes = file_bytes(*file);
    if (!bytes) return fail(bytes.error());
    auto done = *bytes > storage_.part_size ? send_parts(file->get(), *bytes, key) : send_whole(file->get(), *bytes, key);
    if (!done) return fail(done.error(), "writing \"{}\" into bucket \"{}\"", key, storage_.bucket);
    return {};
  }

  // The fields by which the store is told to encrypt.
  [[nodiscard]] snapshot::Pairs encryption() const {
    if (!storage_.kms_key.empty()) return {{"X-Amz-Server-Side-Encryption", "aws:kms"}, {"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", storage_.kms_key}};
    if (storage_.encrypt) return {{"X-Amz-Server-Side-Encryption", "AES256"}};
    return {};
  }

  Result<> send_whole(int file, std::uint64_t bytes, const std::string& key) {
    snapshot::Sha256 sum;
    for (std::uint64_t at = 0; at < bytes;) {
      auto part = snapshot::read_at(file, at, 1u << 20);
      if (!part) return fail(part.error());
      if (part->empty()) return fail(Code::internal, "the file ends early");
      sum.add(*part);
      at += part->size();
    }
    const snapshot::S3Request request{.method = "PUT", .host = host_, .path = path_of(key), .query = {}, .headers = encryption(), .payload_sha256 = hex_encode(sum.finish())};
    auto answer = send(request, "", file, bytes);
    if (!answer) return fail(answer.error());
    return {};
  }

  // The store puts the parts together when all are there; until then the key is what it was.
  Result<> send_parts(int file, std::uint64_t bytes, const std::string& key) {
    auto begun = send_text({.method = "POST", .host = host_, .path = path_of(key), .query = {{"uploads", ""}}, .headers = encryption(), .payload_sha256 = {}}, "");
    if (!begun) return fail(begun.error());
    const auto ids = elements(begun->body, "UploadId");
    if (ids.empty()) return fail(Code::unavailable, "the store at {} did not say which upload has begun", storage_.endpoint);
    auto done = send_parts_of(file, bytes, key, ids[0]);
    if (done) return {};
    // What is there of it would be kept, and paid for, for ever.
    auto dropped = send_text({.method = "DELETE", .host = host_, .path = path_of(key), .query = {{"uploadId", ids[0]}}, .headers = {}, .payload_sha256 = {}}, "");
    if (!dropped) return fail(done.error(), "the parts that were sent stay in the store ({})", dropped.error().message());
    return done;
  }

  Result<> send_parts_of(int file, std::uint64_t bytes, const std::string& key, const std::string& id) {
    constexpr std::uint64_t most_parts = 10'000;
    const std::uint64_t size = std::max(storage_.part_size, (bytes + most_parts - 1) / most_parts);
    std::uint64_t number = 0;
    for (std::uint64_t at = 0; at < bytes;) {
      auto part = snapshot::read_at(file, at, size);
      if (!part) return fail(part.error());
      if (part->empty()) return fail(Code::internal, "the file ends early");
      at += part->size();
      auto sent = send_text({.method = "PUT", .host = host_, .path = path_of(key), .query = {{"partNumber", std::to_string(++number)}, {"uploadId", id}}, .headers = {},
                             .payload_sha256 = {}}, std::move(*part));
      if (!sent) return fail(sent.error(), "part {}", number);
    }
    auto tags = list_parts(key, id);
    if (!tags) return fail(tags.error());
    if (tags->size() != number) return fail(Code::unavailable, "the store at {} has {} parts of {}", storage_.endpoint, tags->size(), number);
    std::string document = "<CompleteMultipartUpload>";
    for (std::size_t i = 0; i < tags->size(); ++i) document += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", i + 1, (*tags)[i]);
    document += "</CompleteMultipartUpload>";
    auto whole = send_text({.method = "POST", .host = host_, .path = path_of(key), .query = {{"uploadId", id}}, .headers = {}, .payload_sha256 = {}}, std::move(document));
    if (!whole) return fail(whole.error());
    // What goes wrong while it is put together is told in an answer that has begun well.
    if (const auto code = elements(whole->body, "Code"); !code.empty()) return fail(Code::unavailable, "the store at {} could not put the parts together: {}", storage_.endpoint, code[0]);
    return {};
  }

  // The tags of all parts, as the store wrote them, in the order of their numbers.
  Result<std::vector<std::string>> list_parts(const std::string& key, const std::string& id) {
    std::vector<std::string> out;
    std::string next;
    do {
      snapshot::S3Request request{.method = "GET", .host = host_, .path = path_of(key), .query = {{"uploadId", id}}, .headers = {}, .payload_sha256 = {}};
      if (!next.empty()) request.query.emplace_back("part-number-marker", next);
      auto answer = send_text(std::move(request), "");
      if (!answer) return fail(answer.error(), "listing the parts");
      for (std::string& tag : elements(answer->body, "ETag")) out.push_back(std::move(tag));
      const auto more = elements(answer->body, "IsTruncated"), marker = elements(answer->body, "NextPartNumberMarker");
      next = !more.empty() && more[0] == "true" && !marker.empty() ? marker[0] : "";
    } while (!next.empty());
    return out;
  }

  Result<ApiAnswer> send_text(snapshot::S3Request request, std::string body) {
    request.payload_sha256 = hex_encode(snapshot::sha256(body));
    return send(request, std::move(body), -1, 0);
  }

  Result<ApiAnswer> send(const snapshot::S3Request& request, std::string body, int file, std::uint64_t bytes) {
    const std::int64_t now = system_clock().unix_nanos() / 1'000'000'000;
    snapshot::Pairs headers = snapshot::sign_s3(storage_.credentials, storage_.region, request, now);
    headers.insert(headers.end(), request.headers.begin(), request.headers.end());
    headers.emplace_back("Host", host_);
    auto answer = client_.raw(request.method, snapshot::s3_target(request), std::move(body), std::move(headers), {.file = file, .bytes = bytes});
    if (!answer) return fail(answer.error());
    if (answer->status / 100 == 2) return answer;
    const auto code = elements(answer->body, "Code"), message = elements(answer->body, "Message");
    return fail(Code::unavailable, "the store at {} answered {}{}{}", storage_.endpoint, answer->status, code.empty() ? "" : " " + code[0],
                message.empty() ? "" : ": " + message[0]);
  }

  S3Storage storage_;
  std::string host_;
  TempDir directory_;
  ApiClient client_;
};

// The Host field as it is signed: stores leave a port that goes without saying out of what they check.
std::string host_of(const http::Address& address) {
  const std::string usual = address.kind == http::Address::Kind::https ? ":443" : ":80";
  std::string out = address.authority();
  if (out.ends_with(usual)) out.resize(out.size() - usual.size());
  return out;
}

}  // namespace

Result<std::unique_ptr<SnapshotTarget>> make_local_target(LocalStorage storage) {
  if (!fs::is_directory(storage.path)) return fail(Code::not_found, "local_storage.path \"{}\" is no directory: make it", storage.path);
  return std::unique_ptr<SnapshotTarget>(std::make_unique<LocalTarget>(std::move(storage.path)));
}

Result<std::unique_ptr<SnapshotTarget>> make_s3_target(S3Storage storage) {
  if (storage.bucket.empty()) return fail(Code::invalid_argument, "aws_storage needs s3_bucket");
  if (storage.credentials.key_id.empty() || storage.credentials.secret.empty()) {
    return fail(Code::invalid_argument, "aws_storage needs access_key_id and secret_access_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment");
  }
  if (storage.endpoint.empty()) storage.endpoint = fmt::format("https://s3.{}.amazonaws.com", storage.region);
  if (storage.endpoint.find("://") == std::string::npos) storage.endpoint = "https://" + storage.endpoint;
  auto address = http::Address::parse(storage.endpoint);
  if (!address) return fail(address.error(), "aws_storage.s3_endpoint \"{}\"; use http://host:port or https://host:port", storage.endpoint);
  if (!address->path.empty()) return fail(Code::invalid_argument, "aws_storage.s3_endpoint \"{}\" must have no path: the bucket is put behind it", storage.endpoint);
  auto directory = TempDir::make("drover-snapshot-");
  if (!directory) return fail(directory.error());
  return std::unique_ptr<SnapshotTarget>(std::make_unique<S3Target>(std::move(storage), host_of(*address), std::move(*directory)));
}

}  // namespace drover::cli
