// Builds the tables of a saved state out of its records. A value: copies share what they hold. Any thread.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "server/fsm/record_stream.h"
#include "server/state/tables.h"

namespace drover::fsm {

class StateLoader;

// A restore that has begun: its pieces arrive as entries of the log, and nothing is held but what they made.
struct PendingRestore {
  std::string id;
  std::uint64_t pieces = 0;
  RecordSplitter splitter;
  std::shared_ptr<StateLoader> loader;
  std::optional<Error> wrong;  // what is the matter with a piece
};

class StateLoader {
 public:
  // `keep` is false for a trial: every record is decoded and thrown away.
  explicit StateLoader(bool keep = true) : keep_(keep) {}
  [[nodiscard]] Result<> take(std::string_view record);
  [[nodiscard]] Result<> take_all(const RecordSource& source);
  // After the last record.
  void complete();

  state::Tables tables;
  std::uint64_t offset = 0;
  std::optional<PendingRestore> pending;
  // The job texts by their numbers in this stream.
  [[nodiscard]] const std::unordered_map<std::uint64_t, state::JobPtr>& texts() const { return texts_; }

 private:
  [[nodiscard]] Result<> take_job(std::string_view bytes, bool version);
  [[nodiscard]] Result<> take_index(std::string_view bytes);
  [[nodiscard]] Result<> take_text(std::string_view bytes);
  [[nodiscard]] Result<> take_alloc(std::string_view bytes);
  [[nodiscard]] Result<> take_pending(std::string_view bytes);
  template <class T, class F>
  [[nodiscard]] Result<> put(std::string_view bytes, F store);

  bool keep_;
  std::unordered_map<std::uint64_t, state::JobPtr> texts_;
};

}  // namespace drover::fsm
