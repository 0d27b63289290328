#include "tests/sim/machine.h"

#include <fmt/format.h>

#include <sstream>

#include "sdk/base/uuid.h"
#include "server/fsm/fsm.h"

namespace drover::sim {

std::uint64_t Machine::hash() const {
  std::uint64_t out = 1469598103934665603ULL;
  for (const char c : save()) out = (out ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return out;
}

std::string Registers::write(const std::string& key, std::uint64_t value) { return fmt::format("{} - {}", key, value); }
std::string Registers::swap(const std::string& key, std::uint64_t expected, std::uint64_t value) {
  return fmt::format("{} {} {}", key, expected, value);
}

std::uint64_t Registers::apply(std::uint64_t, const std::string& entry) {
  ++applied_;
  std::istringstream in(entry);
  std::string key, expected;
  std::uint64_t value = 0;
  in >> key >> expected >> value;
  auto& place = values_[key];
  if (expected != "-" && std::to_string(place) != expected) return 0;
  place = value;
  return 1;
}

std::string Registers::save() const {
  std::string out = std::to_string(applied_);
  for (const auto& [key, value] : values_) out += fmt::format(" {} {}", key, value);
  return out;
}

void Registers::restore(const std::string& state) {
  values_.clear();
  std::istringstream in(state);
  in >> applied_;
  std::string key;
  for (std::uint64_t value = 0; in >> key >> value;) values_[key] = value;
}

std::uint64_t Registers::read(const std::string& key) const {
  const auto at = values_.find(key);
  return at == values_.end() ? 0 : at->second;
}

namespace {
class ServerState final : public Machine {
 public:
  std::uint64_t apply(std::uint64_t index, const std::string& entry) override {
    DROVER_CHECK(fsm_->apply(index, entry));
    return fsm_->take_refusal(index) ? 0 : 1;
  }
  std::string save() const override {
    std::string out;
    const auto sink = [&out](std::string_view record) -> Result<> {
      out += fmt::format("{} ", record.size());
      out += record;
      return {};
    };
    DROVER_CHECK(fsm_->snapshot()(sink));
    return out;
  }
  void restore(const std::string& state) override {
    fsm_ = std::make_unique<fsm::Fsm>();
    if (state.empty()) return;
    std::size_t at = 0;
    const auto source = [&](std::string& record) -> Result<bool> {
      if (at >= state.size()) return false;
      const std::size_t space = state.find(' ', at);
      const std::size_t size = std::stoull(state.substr(at, space - at));
      record = state.substr(space + 1, size);
      at = space + 1 + size;
      return true;
    };
    DROVER_CHECK(fsm_->restore(source));
  }

 private:
  std::unique_ptr<fsm::Fsm> fsm_ = std::make_unique<fsm::Fsm>();
};
}  // namespace

std::unique_ptr<Machine> make_server_state() { return std::make_unique<ServerState>(); }

std::string random_entry(Rng& rng) {
  const std::string name = fmt::format("thing-{}", rng.below(8));
  switch (rng.below(6)) {
    case 0: {
      fsm::NodePoolUpsert message;
      message.pools.push_back({.name = name, .description = std::to_string(rng.below(1000))});
      return fsm::encode(message);
    }
    case 1: {
      fsm::NodePoolDelete message;
      message.names.push_back(name);
      return fsm::encode(message);
    }
    case 2: {
      fsm::SchedulerConfig message;
      message.config.scheduler_algorithm = rng.below(2) == 0 ? "binpack" : "spread";
      if (rng.below(2) == 0) message.check_index = rng.below(200);
      return fsm::encode(message);
    }
    default: {
      auto job = std::make_shared<model::Job>();
      job->id = job->name = name;
      job->namespace_ = "default";
      job->type = "batch";
      job->priority = static_cast<std::int64_t>(rng.below(100));
      fsm::JobRegister message;
      message.job = std::move(job);
      message.tracked_versions = 3;
      auto eval = std::make_shared<model::Evaluation>();
      eval->id = make_uuid(rng);
      eval->namespace_ = "default";
      eval->job_id = name;
      eval->type = "batch";
      eval->status = "pending";
      message.eval = std::move(eval);
      return fsm::encode(message);
    }
  }
}

}  // namespace drover::sim
