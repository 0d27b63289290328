#include "sdk/executor/users.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstring>

#include "sdk/base/text.h"

namespace drover {
namespace {

std::optional<std::uint32_t> parse_id(std::string_view text) {
  std::uint32_t out = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || text.empty()) return std::nullopt;
  if (out == static_cast<std::uint32_t>(-1)) return std::nullopt;  // means "unchanged" to the kernel
  return out;
}

Account account_of(const passwd& entry) {
  Account out{entry.pw_name, entry.pw_dir, {entry.pw_uid, entry.pw_gid, {}}};
  int count = 64;
  out.ids.groups.resize(static_cast<std::size_t>(count));
  if (::getgrouplist(entry.pw_name, entry.pw_gid, out.ids.groups.data(), &count) < 0) {
    out.ids.groups.resize(static_cast<std::size_t>(count));
    ::getgrouplist(entry.pw_name, entry.pw_gid, out.ids.groups.data(), &count);
  }
  // The executor takes 64; more than that is no configuration we know of.
  out.ids.groups.resize(static_cast<std::size_t>(std::min(count, 64)));
  return out;
}

}  // namespace

Result<Account> find_account(const std::string& user) {
  std::vector<char> buffer(65536);
  passwd entry{};
  passwd* found = nullptr;
  const int error = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error == 0 && found != nullptr) return account_of(entry);
  if (user.starts_with("nomad-")) {
    if (const auto id = parse_id(std::string_view(user).substr(6))) return Account{user, "/", {*id, *id, {*id}}};
  }
  const auto [uid_text, gid_text] = split_once(user, ':');
  const auto uid = parse_id(uid_text);
  if (!uid) return fail(Code::not_found, "user \"{}\" is not known on this host", user);
  Account out;
  if (::getpwuid_r(*uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
    out = account_of(entry);
  } else {
    out = Account{std::string(uid_text), "/", {*uid, *uid, {*uid}}};
  }
  if (user.find(':') != std::string::npos) {
    const auto gid = parse_id(gid_text);
    if (!gid) return fail(Code::invalid_argument, "group of user \"{}\" is not a number from 0 to 4294967294", user);
    out.ids.gid = *gid;
    out.ids.groups = {*gid};
  }
  return out;
}

Result<std::vector<IdRange>> parse_id_ranges(std::string_view text) {
  std::vector<IdRange> out;
  if (trim(text).empty()) return out;
  for (const auto& part : split(text, ',')) {
    const auto [first_text, last_text] = split_once(trim(part), '-');
    const auto first = parse_id(first_text);
    const auto last = part.find('-') == std::string::npos ? first : parse_id(last_text);
    if (!first || !last || *last < *first) return fail(Code::invalid_argument, "\"{}\" is not an id or a range of ids such as \"5-9\"", part);
    out.push_back({*first, *last});
  }
  return out;
}

Result<> check_ids(const UserIds& ids, const std::vector<IdRange>& denied_uids, const std::vector<IdRange>& denied_gids) {
  const auto within = [](std::uint32_t id, const std::vector<IdRange>& ranges) {
    return std::any_of(ranges.begin(), ranges.end(), [id](const IdRange& range) { return id >= range.first && id <= range.last; });
  };
  if (within(ids.uid, denied_uids)) return fail(Code::permission_denied, "running as uid {} is disallowed", ids.uid);
  if (within(ids.gid, denied_gids)) return fail(Code::permission_denied, "running as gid {} is disallowed", ids.gid);
  for (const gid_t group : ids.groups) {
    if (within(group, denied_gids)) return fail(Code::permission_denied, "running as gid {} is disallowed", group);
  }
  return {};
}

Result<int> parse_signal(const std::string& name, int fallback) {
  if (name.empty()) return fallback;
  std::string_view text(name);
  if (to_lower(text.substr(0, 3)) == "sig") text.remove_prefix(3);
  const std::string wanted = to_lower(text);
  for (int number = 1; number < 32; ++number) {
    const char* abbreviation = ::sigabbrev_np(number);
    if (abbreviation != nullptr && to_lower(abbreviation) == wanted) return number;
  }
  int number = 0;
  const auto parsed = std::from_chars(wanted.data(), wanted.data() + wanted.size(), number);
  if (parsed.ec == std::errc{} && parsed.ptr == wanted.data() + wanted.size() && number > 0 && number < NSIG) return number;
  return fail(Code::invalid_argument, "unknown signal \"{}\": use a name such as SIGHUP", name);
}

}  // namespace drover
