// Where `operator snapshot agent` keeps what it saves: a directory, or a bucket of a store that speaks S3. Blocking.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "lib/snapshot/s3_signature.h"
#include "sdk/base/error.h"

namespace drover::cli {

struct LocalStorage {
  std::string path = ".";
};

struct S3Storage {
  snapshot::S3Credentials credentials;
  std::string region = "us-east-1";
  std::string endpoint;  // empty: that of the region
  std::string bucket;
  std::string key_prefix = "nomad-snapshot";
  bool encrypt = false;  // by the store's own keys
  std::string kms_key;   // or by this one of its key service
  std::string ca_cert;   // of the endpoint; empty: the system's
  std::string ca_path;
  std::uint64_t part_size = 16u << 20;  // a larger file goes in parts of so many bytes
};

class SnapshotTarget {
 public:
  virtual ~SnapshotTarget() = default;
  // Where the file is to be made before put().
  [[nodiscard]] virtual const std::string& directory() const = 0;
  // Takes directory()/name in; says where it is now.
  [[nodiscard]] virtual Result<std::string> put(const std::string& name) = 0;
  // The names that begin so, in any order.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& prefix) = 0;
  [[nodiscard]] virtual Result<> remove(const std::string& name) = 0;
};

[[nodiscard]] Result<std::unique_ptr<SnapshotTarget>> make_local_target(LocalStorage storage);
[[nodiscard]] Result<std::unique_ptr<SnapshotTarget>> make_s3_target(S3Storage storage);

}  // namespace drover::cli
