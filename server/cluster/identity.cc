#include "server/cluster/identity.h"

#include <filesystem>

#include "sdk/base/file.h"
#include "sdk/base/text.h"
#include "sdk/base/uuid.h"

namespace drover::cluster {
namespace {

// Empty when there is no such file.
Result<std::string> load_id(const std::string& path) {
  auto text = read_file(path);
  if (!text && text.error().code() == Code::not_found) return std::string();
  if (!text) return fail(text.error());
  std::string id(trim(*text));
  if (!is_uuid(id)) return fail(Code::internal, "\"{}\" does not hold an id: restore it from a backup, or empty the data directory and let the server join anew", path);
  return id;
}

}  // namespace

Result<std::string> load_node_id(const std::string& data_dir) {
  if (data_dir.empty()) return make_uuid();
  const std::string directory = data_dir + "/server";
  const std::string path = directory + "/node-id";
  DROVER_TRY(make_directories(directory, 0700));
  auto stored = load_id(path);
  if (!stored || !stored->empty()) return stored;
  const std::string id = make_uuid();
  DROVER_TRY(replace_file_durably(path, id));
  return id;
}

Result<std::string> load_cluster_id(const std::string& data_dir) {
  if (data_dir.empty()) return std::string();
  return load_id(data_dir + "/raft/cluster-id");
}

Result<> store_cluster_id(const std::string& data_dir, const std::string& id) {
  if (data_dir.empty()) return {};
  DROVER_TRY(make_directories(data_dir + "/raft", 0700));
  return replace_file_durably(data_dir + "/raft/cluster-id", id);
}

}  // namespace drover::cluster
