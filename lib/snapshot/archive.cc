#include "lib/snapshot/archive.h"

#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace drover::snapshot {
namespace {
constexpr std::size_t block = 512;
constexpr int fast = 1;  // the state is mostly text: more effort makes it little smaller and much slower

std::string octal(std::uint64_t value, std::size_t width) { return fmt::format("{:0{}o}", value, width - 1) + '\0'; }

void add_file(std::string& tar, std::string_view name, std::string_view content, std::int64_t seconds) {
  std::string head(block, '\0');
  const auto put = [&](std::size_t at, std::string_view text) { std::ranges::copy(text, head.begin() + static_cast<std::ptrdiff_t>(at)); };
  put(0, name);
  put(100, octal(0600, 8));
  put(108, octal(0, 8));
  put(116, octal(0, 8));
  // Sizes beyond the eleven octal digits are written in binary, as GNU tar does.
  if (content.size() < (1ull << 33)) {
    put(124, octal(content.size(), 12));
  } else {
    head[124] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i) head[135 - i] = static_cast<char>((content.size() >> (8 * i)) & 0xff);
  }
  put(136, octal(static_cast<std::uint64_t>(seconds), 12));
  put(148, "        ");
  head[156] = '0';
  put(257, std::string_view("ustar\00000", 8));
  std::uint64_t sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  tar += head;
  tar += content;
  tar.append((block - content.size() % block) % block, '\0');
}

Result<std::map<std::string, std::string>> read_tar(std::string_view tar) {
  std::map<std::string, std::string> out;
  while (tar.size() >= block && tar[0] != '\0') {
    const std::string_view head = tar.substr(0, block);
    const std::string_view field = head.substr(0, 100);
    const std::string name(field.substr(0, field.find('\0')));
    std::uint64_t size = 0;
    if ((static_cast<unsigned char>(head[124]) & 0x80) != 0) {
      for (std::size_t i = 128; i < 136; ++i) size = size << 8 | static_cast<unsigned char>(head[i]);
    } else {
      for (std::size_t i = 124; i < 136 && head[i] >= '0' && head[i] <= '7'; ++i) size = size * 8 + static_cast<std::uint64_t>(head[i] - '0');
    }
    tar.remove_prefix(block);
    if (size > tar.size()) return fail(Code::invalid_argument, "failed to read snapshot: \"{}\" is cut off: unexpected EOF", name);
    out[name] = tar.substr(0, size);
    tar.remove_prefix(std::min<std::size_t>(tar.size(), (size + block - 1) / block * block));
  }
  return out;
}

Result<std::string> gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, fast, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return fail(Code::internal, "gzip is not available");
  std::string out;
  std::array<char, 1 << 16> buffer{};
  int code = Z_OK;
  // zlib counts in 32 bits.
  for (std::size_t at = 0; code == Z_OK || code == Z_BUF_ERROR;) {
    if (stream.avail_in == 0 && at < bytes.size()) {
      const std::size_t size = std::min<std::size_t>(bytes.size() - at, 1u << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
      stream.avail_in = static_cast<uInt>(size);
      at += size;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = deflate(&stream, at == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
    if (code == Z_STREAM_END) break;
  }
  deflateEnd(&stream);
  if (code != Z_STREAM_END) return fail(Code::internal, "gzip failed with code {}", code);
  return out;
}

Result<std::string> gunzip(std::string_view bytes) {
  if (bytes.size() < 2 || static_cast<unsigned char>(bytes[0]) != 0x1f || static_cast<unsigned char>(bytes[1]) != 0x8b) {
    return fail(Code::invalid_argument, "failed to decompress snapshot: gzip: invalid header");
  }
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return fail(Code::internal, "gzip is not available");
  std::string out;
  std::array<char, 1 << 16> buffer{};
  int code = Z_OK;
  for (std::size_t at = 0; code == Z_OK;) {
    if (stream.avail_in == 0 && at < bytes.size()) {
      const std::size_t size = std::min<std::size_t>(bytes.size() - at, 1u << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
      stream.avail_in = static_cast<uInt>(size);
      at += size;
    }
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    code = inflate(&stream, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (code == Z_BUF_ERROR) return fail(Code::invalid_argument, "failed to decompress snapshot: unexpected EOF");
  if (code != Z_STREAM_END) return fail(Code::invalid_argument, "failed to decompress snapshot: gzip: the data is damaged");
  return out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string sums(const std::string& meta, std::string_view state) {
  return fmt::format("{}  meta.json\n{}  state.bin\n", hex(sha256(meta)), hex(sha256(state)));
}

// Numbers of server/fsm's records.
std::string record_name(unsigned type) {
  static const std::map<unsigned, std::string> names{{0, "Node"}, {1, "Job"}, {2, "Index"}, {3, "Eval"}, {4, "Alloc"}, {6, "PeriodicLaunch"},
    {7, "JobSummary"}, {9, "JobVersion"}, {10, "Deployment"}, {13, "SchedulerConfig"}, {17, "ScalingPolicy"}, {19, "ScalingEvents"},
    {28, "NodePool"}, {29, "JobSubmission"}, {40, "JobText"}, {64, "Namespace"}, {65, "HostVolume"}, {66, "TaskGroupHostVolumeClaim"},
    {70, "AutopilotConfig"}, {71, "IndexOffset"}, {72, "PendingRestore"}};
  const auto at = names.find(type);
  return at == names.end() ? fmt::format("Unknown({})", type) : at->second;
}

}  // namespace

std::string sha256(std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  DROVER_CHECK(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size, EVP_sha256(), nullptr) == 1);
  out.resize(size);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Result<std::string> write_archive(Meta meta, std::string_view state) {
  nlohmann::ordered_json document;
  document["Version"] = meta.version;
  document["ID"] = meta.id;
  document["Index"] = meta.index;
  document["Term"] = meta.term;
  document["ClusterID"] = meta.cluster_id;
  document["Build"] = meta.build;
  document["Created"] = meta.created;
  document["Size"] = state.size();
  const std::string text = document.dump() + "\n";
  const std::int64_t seconds = meta.created / 1'000'000'000;
  std::string tar;
  tar.reserve(state.size() + 8 * block);
  add_file(tar, "meta.json", text, seconds);
  add_file(tar, "state.bin", state, seconds);
  add_file(tar, "SHA256SUMS", sums(text, state), seconds);
  tar.append(2 * block, '\0');
  return gzip(tar);
}

Result<Archive> open_archive(std::string_view bytes) {
  auto tar = gunzip(bytes);
  if (!tar) return fail(tar.error());
  auto files = read_tar(*tar);
  if (!files) return fail(files.error());
  for (const char* name : {"meta.json", "state.bin", "SHA256SUMS"}) {
    if (!files->contains(name)) return fail(Code::invalid_argument, "failed to read snapshot: it has no \"{}\"", name);
  }
  if ((*files)["SHA256SUMS"] != sums((*files)["meta.json"], (*files)["state.bin"])) {
    return fail(Code::invalid_argument, "failed checking integrity of snapshot: hash check failed: the file is damaged, take another one");
  }
  const auto document = nlohmann::json::parse((*files)["meta.json"], nullptr, false);
  if (!document.is_object()) return fail(Code::invalid_argument, "failed to read snapshot: meta.json is no object");
  Archive out;
  try {
    out.meta = {.version = document.value("Version", std::uint64_t{0}), .id = document.value("ID", ""), .index = document.value("Index", std::uint64_t{0}),
                .term = document.value("Term", std::uint64_t{0}), .cluster_id = document.value("ClusterID", ""), .build = document.value("Build", ""),
                .created = document.value("Created", std::int64_t{0}), .size = document.value("Size", std::uint64_t{0})};
  } catch (const nlohmann::json::exception&) {
    return fail(Code::invalid_argument, "failed to read snapshot: meta.json has values of other types");
  }
  if (out.meta.version == 0 || out.meta.version > format_version) {
    return fail(Code::invalid_argument, "the snapshot is of format {}, written by version {}; this version reads up to {}: restore it with that version",
                out.meta.version, out.meta.build, format_version);
  }
  out.state = std::move((*files)["state.bin"]);
  return out;
}

Result<std::vector<Count>> count_records(std::string_view state) {
  std::map<unsigned, Count> counts;
  while (!state.empty()) {
    std::size_t size = 0;
    if (state.size() < 4) return fail(Code::invalid_argument, "a record's length is cut off");
    for (std::size_t i = 0; i < 4; ++i) size |= static_cast<std::size_t>(static_cast<unsigned char>(state[i])) << (8 * i);
    state.remove_prefix(4);
    if (size == 0 || size > state.size()) return fail(Code::invalid_argument, "a record of {} bytes is cut off", size);
    const auto type = static_cast<unsigned>(static_cast<unsigned char>(state[0]));
    auto& place = counts[type];
    place.name = record_name(type);
    ++place.count;
    place.bytes += size;
    state.remove_prefix(size);
  }
  std::vector<Count> out;
  for (auto& [type, count] : counts) out.push_back(std::move(count));
  return out;
}

}  // namespace drover::snapshot
