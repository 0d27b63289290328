// State machines under test: registers with compare and swap, small enough to be checked by a history, and the server's own state.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "sdk/base/clock.h"
#include "sdk/base/error.h"

namespace drover::sim {

class Machine {
 public:
  virtual ~Machine() = default;
  // What the proposer is told.
  virtual std::uint64_t apply(std::uint64_t index, const std::string& entry) = 0;
  [[nodiscard]] virtual std::string save() const = 0;
  virtual void restore(const std::string& state) = 0;
  // Of everything in it; costs as much as saving.
  [[nodiscard]] std::uint64_t hash() const;
};

// Entries "key expected value" (expected empty: whatever is there). The answer of a swap: 1 when it was done.
class Registers final : public Machine {
 public:
  [[nodiscard]] static std::string write(const std::string& key, std::uint64_t value);
  [[nodiscard]] static std::string swap(const std::string& key, std::uint64_t expected, std::uint64_t value);
  std::uint64_t apply(std::uint64_t index, const std::string& entry) override;
  [[nodiscard]] std::string save() const override;
  void restore(const std::string& state) override;
  [[nodiscard]] std::uint64_t read(const std::string& key) const;

 private:
  std::map<std::string, std::uint64_t> values_;
  std::uint64_t applied_ = 0;  // entries, so that one that is applied twice shows
};

// The tables of the server, fed with entries of their log.
[[nodiscard]] std::unique_ptr<Machine> make_server_state();
// An entry for it, chosen by `rng`.
[[nodiscard]] std::string random_entry(Rng& rng);

}  // namespace drover::sim
