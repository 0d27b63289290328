#include "lib/snapshot/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "sdk/base/encoding.h"

namespace drover::snapshot {
namespace {
struct Free {
  void operator()(archive* one) const { archive_free(one); }
  void operator()(archive_entry* one) const { archive_entry_free(one); }
};
using Handle = std::unique_ptr<archive, Free>;

Error damaged(archive* one) {
  const char* why = archive_error_string(one);
  return Error(Code::invalid_argument, fmt::format("failed to read snapshot: {}", why != nullptr ? why : "the data is damaged"));
}

la_ssize_t append(archive*, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

Result<> add_file(archive* tar, const char* name, std::string_view content, std::int64_t seconds) {
  const std::unique_ptr<archive_entry, Free> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), seconds, 0);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  if (archive_write_header(tar, entry.get()) != ARCHIVE_OK || archive_write_data(tar, content.data(), content.size()) != static_cast<la_ssize_t>(content.size())) {
    return fail(Code::internal, "writing \"{}\" into the snapshot: {}", name, archive_error_string(tar));
  }
  return {};
}

Result<std::map<std::string, std::string>> read_files(std::string_view bytes) {
  if (!bytes.starts_with("\x1f\x8b")) return fail(Code::invalid_argument, "failed to decompress snapshot: gzip: invalid header");
  const Handle tar(archive_read_new());
  archive_read_support_filter_gzip(tar.get());
  archive_read_support_format_tar(tar.get());
  if (archive_read_open_memory(tar.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) return fail(damaged(tar.get()));
  std::map<std::string, std::string> out;
  for (;;) {
    archive_entry* entry = nullptr;
    const int code = archive_read_next_header(tar.get(), &entry);
    if (code == ARCHIVE_EOF) return out;
    if (code != ARCHIVE_OK) return fail(damaged(tar.get()));
    const char* const name = archive_entry_pathname(entry);
    std::string& content = out[name != nullptr ? name : ""];
    content.clear();
    for (;;) {
      const void* part = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int read = archive_read_data_block(tar.get(), &part, &size, &offset);
      if (read == ARCHIVE_EOF) break;
      if (read != ARCHIVE_OK || static_cast<std::uint64_t>(offset) != content.size()) return fail(damaged(tar.get()));
      content.append(static_cast<const char*>(part), size);
    }
  }
}

std::string sums(const std::string& meta, std::string_view state) {
  return fmt::format("{}  meta.json\n{}  state.bin\n", hex_encode(sha256(meta)), hex_encode(sha256(state)));
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
  std::string out;
  const Handle tar(archive_write_new());
  archive_write_add_filter_gzip(tar.get());
  // The state is mostly text: more effort makes it little smaller and much slower.
  archive_write_set_filter_option(tar.get(), "gzip", "compression-level", "1");
  archive_write_set_format_gnutar(tar.get());
  archive_write_set_bytes_in_last_block(tar.get(), 1);
  if (archive_write_open(tar.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK) return fail(Code::internal, "writing the snapshot: {}", archive_error_string(tar.get()));
  DROVER_TRY(add_file(tar.get(), "meta.json", text, seconds));
  DROVER_TRY(add_file(tar.get(), "state.bin", state, seconds));
  DROVER_TRY(add_file(tar.get(), "SHA256SUMS", sums(text, state), seconds));
  if (archive_write_close(tar.get()) != ARCHIVE_OK) return fail(Code::internal, "writing the snapshot: {}", archive_error_string(tar.get()));
  return out;
}

Result<Archive> open_archive(std::string_view bytes) {
  auto files = read_files(bytes);
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
