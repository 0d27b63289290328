// The difference of two jobs.
// Field names, types and order are wire facts (HTTP API contract, appendix A); `describe` lists each once.
#pragma once

#include <memory>
#include <string>

#include "lib/model/types.h"

namespace drover::model {

struct FieldDiff {
  std::string type;
  std::string name;
  std::string old;
  std::string new_;
  List<std::string> annotations;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Type", self.type);
    v("Name", self.name);
    v("Old", self.old);
    v("New", self.new_);
    v("Annotations", self.annotations);
  }
  friend bool operator==(const FieldDiff&, const FieldDiff&) = default;
};

struct ObjectDiff {
  std::string type;
  std::string name;
  List<FieldDiff> fields;
  List<ObjectDiff> objects;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Type", self.type);
    v("Name", self.name);
    v("Fields", self.fields);
    v("Objects", self.objects);
  }
  friend bool operator==(const ObjectDiff&, const ObjectDiff&) = default;
};

struct TaskDiff {
  std::string type;
  std::string name;
  List<FieldDiff> fields;
  List<ObjectDiff> objects;
  List<std::string> annotations;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Type", self.type);
    v("Name", self.name);
    v("Fields", self.fields);
    v("Objects", self.objects);
    v("Annotations", self.annotations);
  }
  friend bool operator==(const TaskDiff&, const TaskDiff&) = default;
};

struct TaskGroupDiff {
  std::string type;
  std::string name;
  List<FieldDiff> fields;
  List<ObjectDiff> objects;
  List<TaskDiff> tasks;
  Map<std::uint64_t> updates;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Type", self.type);
    v("Name", self.name);
    v("Fields", self.fields);
    v("Objects", self.objects);
    v("Tasks", self.tasks);
    v("Updates", self.updates);
  }
  friend bool operator==(const TaskGroupDiff&, const TaskGroupDiff&) = default;
};

struct JobDiff {
  std::string type;
  std::string id;
  List<FieldDiff> fields;
  List<ObjectDiff> objects;
  List<TaskGroupDiff> task_groups;

  template <class Self, class V>
  static void describe(Self& self, V& v) {
    v("Type", self.type);
    v("ID", self.id);
    v("Fields", self.fields);
    v("Objects", self.objects);
    v("TaskGroups", self.task_groups);
  }
  friend bool operator==(const JobDiff&, const JobDiff&) = default;
};

}  // namespace drover::model
