#include "server/cluster/identity.h"

#include <cstdio>
#include <nlohmann/json.hpp>

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

Result<std::vector<Member>> load_peers(const std::string& data_dir) {
  std::vector<Member> out;
  if (data_dir.empty()) return out;
  const std::string path = data_dir + "/raft/peers.json";
  auto text = read_file(path);
  if (!text && text.error().code() == Code::not_found) return out;
  if (!text) return fail(text.error());
  const auto wrong = [&path] {
    return fail(Code::invalid_argument, "\"{}\" must be a list such as [{{\"id\": \"<server id>\", \"address\": \"10.0.0.1:4647\"}}]", path);
  };
  const auto document = nlohmann::json::parse(*text, nullptr, false);
  if (!document.is_array() || document.empty()) return wrong();
  for (const auto& one : document) {
    if (!one.is_object() || !one.contains("id") || !one["id"].is_string() || !one.contains("address") || !one["address"].is_string()) return wrong();
    Member member{.address = one["address"].get<std::string>(), .node_id = one["id"].get<std::string>(), .name = "server"};
    if (!is_uuid(member.node_id) || member.address.find(':') == std::string::npos) return wrong();
    if (one.contains("name") && one["name"].is_string()) member.name = one["name"].get<std::string>();
    if (one.contains("non_voter") && one["non_voter"] == true) member.role = MemberRole::standby;
    member.id = member_id(member.node_id);
    out.push_back(std::move(member));
  }
  return out;
}

Result<> store_peers(const std::string& data_dir, const std::vector<Member>& peers) {
  auto document = nlohmann::ordered_json::array();
  for (const auto& peer : peers) {
    document.push_back({{"id", peer.node_id}, {"address", peer.address}, {"name", peer.name}, {"non_voter", peer.role != MemberRole::voter}});
  }
  return replace_file_durably(data_dir + "/raft/peers.json", document.dump(2) + "\n");
}

Result<> retire_peers(const std::string& data_dir) {
  const std::string path = data_dir + "/raft/peers.json";
  if (::rename(path.c_str(), (data_dir + "/raft/peers.applied.json").c_str()) != 0) return fail_errno("renaming \"{}\"", path);
  return sync_directory(data_dir + "/raft");
}

}  // namespace drover::cluster
