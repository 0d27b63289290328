#include "cli/snapshot_targets.h"

#include <unistd.h>

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
    snapshot::Sha256 sum;
    for (std::uint64_t at = 0; at < *bytes;) {
      auto part = snapshot::read_at(file->get(), at, 1u << 20);
      if (!part) return fail(part.error());
      if (part->empty()) return fail(Code::internal, "\"{}\" ends early", path);
      sum.add(*part);
      at += part->size();
    }
    snapshot::S3Request request{.method = "PUT", .host = host_, .path = path_of(key), .query = {}, .headers = {}, .payload_sha256 = hex_encode(sum.finish())};
    if (!storage_.kms_key.empty()) {
      request.headers.emplace_back("X-Amz-Server-Side-Encryption", "aws:kms");
      request.headers.emplace_back("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", storage_.kms_key);
    } else if (storage_.encrypt) {
      request.headers.emplace_back("X-Amz-Server-Side-Encryption", "AES256");
    }
    auto answer = send(request, "", file->get(), *bytes);
    if (!answer) return fail(answer.error(), "writing \"{}\" into bucket \"{}\"", key, storage_.bucket);
    return {};
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
