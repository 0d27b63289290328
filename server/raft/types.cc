#include "server/raft/types.h"

#include <algorithm>

#include "server/raft/core.h"

namespace drover {
namespace {
// libraft knows one text for each server: "address", or "address node-id name".
std::string to_text(const Member& member) {
  return member.node_id.empty() ? member.address : fmt::format("{} {} {}", member.address, member.node_id, member.name);
}

Member to_member(std::string_view text) {
  Member out;
  const auto next = [&] {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return std::string(word);
  };
  out.address = next();
  out.node_id = next();
  out.name = std::string(text);
  return out;
}
}  // namespace

std::uint64_t member_id(std::string_view node_id) {
  std::uint64_t out = 0;
  int digits = 0;
  for (const char c : node_id) {
    const int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (value < 0) continue;
    out = out * 16 + static_cast<std::uint64_t>(value);
    if (++digits == 16) break;
  }
  return out == 0 ? 1 : out;
}

Result<std::string> encode_members(const std::vector<Member>& members) {
  std::vector<std::string> texts;
  std::vector<drover_raft_server> servers;
  for (const auto& member : members) texts.push_back(to_text(member));
  for (std::size_t i = 0; i < members.size(); ++i) {
    servers.push_back({members[i].id, texts[i].c_str(), static_cast<int>(members[i].role)});
  }
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
    Member member = to_member(server->address);
    member.id = server->id;
    member.role = static_cast<MemberRole>(server->role);
    static_cast<std::vector<Member>*>(context)->push_back(std::move(member));
  };
  if (const int code = drover_raft_decode_configuration(encoded.data(), encoded.size(), &out, put); code != 0) {
    return fail(Code::internal, "raft members: {}", drover_raft_error_text(code));
  }
  return out;
}

}  // namespace drover
