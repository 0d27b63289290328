// The records of a saved state: a type byte, then one described value. Job texts are written once and named by a number, so that a
// million allocations of one job cost one job. Private to server/fsm.
#pragma once

#include "lib/model/codec.h"
#include "lib/model/periodic_launch.h"
#include "server/state/tables.h"

namespace drover::fsm {

using model::Map;

// Numbers are stored: never change or reuse one.
enum class RecordType : std::uint8_t {
  node = 0, job = 1, index = 2, eval = 3, alloc = 4, summary = 7, version = 9, deployment = 10, scheduler_config = 13, node_pool = 28,
  submission = 29, job_text = 40, periodic_launch = 6, scaling_policy = 17, scaling_event = 19, name_space = 64, host_volume = 65,
  volume_claim = 66, autopilot = 70, index_offset = 71,
  restore_pending = 72, restore_text = 73, restore_record = 74,
};

struct OffsetRecord {
  std::uint64_t offset = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Offset", self.offset);
  }
};

// A restore that has begun: `data` is the beginning of a record that is not complete yet. What it has brought so far follows, job
// texts as `restore_text`, every other record behind the type byte of `restore_record`.
struct PendingRecord {
  std::string id;
  std::uint64_t pieces = 0;
  model::Bytes data;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("ID", self.id);
    v("Pieces", self.pieces);
    v("Data", self.data);
  }
};

struct IndexRecord {
  std::uint64_t index = 0;
  std::uint64_t allocs_deleted_index = 0;
  Map<std::uint64_t> tables;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Index", self.index);
    v("AllocsDeletedIndex", self.allocs_deleted_index);
    v("Tables", self.tables);
  }
};

struct JobText {
  std::uint64_t number = 0;
  std::shared_ptr<const model::Job> job;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Number", self.number);
    v("Job", self.job);
  }
};

struct JobNumber {
  std::uint64_t number = 0;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Number", self.number);
  }
};

struct AllocRecord {
  std::uint64_t job = 0;  // 0: none
  std::shared_ptr<const model::Allocation> alloc;
  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Job", self.job);
    v("Alloc", self.alloc);
  }
};

}  // namespace drover::fsm
