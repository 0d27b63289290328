// What an evaluation has learned about computed classes: nodes of one class get one verdict per job and per group.
//
// The blocked evaluation carries the result, so that only a node of a class that may help wakes it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "lib/model/job.h"

namespace drover::scheduler {

class Eligibility {
 public:
  void set_job(const model::Job& job);
  // Whether nodes of one class must each be asked: by the job's constraints, by the group's.
  [[nodiscard]] bool job_escaped() const { return job_escaped_; }
  [[nodiscard]] bool group_escaped(std::string_view group) const;
  void set_job(std::string_view node_class, bool eligible);
  void set_group(std::string_view group, std::string_view node_class, bool eligible);

  [[nodiscard]] bool escaped() const;
  // Class -> may any group be placed there. A class that nobody asked about is absent.
  [[nodiscard]] model::Map<bool> classes() const;

 private:
  using Verdicts = std::map<std::string, bool, std::less<>>;
  Verdicts job_;
  std::map<std::string, Verdicts, std::less<>> groups_;
  bool job_escaped_ = false;
  std::map<std::string, bool, std::less<>> group_escaped_;
};

}  // namespace drover::scheduler
