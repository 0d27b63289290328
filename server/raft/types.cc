#include "server/raft/types.h"

#include "server/raft/core.h"

namespace drover {

Result<std::string> encode_members(const std::vector<Member>& members) {
  std::vector<drover_raft_server> servers;
  for (const auto& member : members) servers.push_back({member.id, member.address.c_str(), static_cast<int>(member.role)});
  std::string out;
  const auto put = [](void* context, const void* data, size_t size) {
    static_cast<std::string*>(context)->assign(static_cast<const char*>(data), size);
  };
  if (const int code = drover_raft_encode_configuration(servers.data(), servers.size(), &out, put); code != 0) {
    return fail(Code::invalid_argument, "raft members: {}", drover_raft_error_text(code));
  }
  return out;
}

Result<std::vector<Member>> decode_members(const std::string& encoded) {
  std::vector<Member> out;
  const auto put = [](void* context, const drover_raft_server* server) {
    static_cast<std::vector<Member>*>(context)->push_back(
        {.id = server->id, .address = server->address, .role = static_cast<MemberRole>(server->role)});
  };
  if (const int code = drover_raft_decode_configuration(encoded.data(), encoded.size(), &out, put); code != 0) {
    return fail(Code::internal, "raft members: {}", drover_raft_error_text(code));
  }
  return out;
}

}  // namespace drover
