#include "agent/task/task_local.h"

#include "lib/model/codec.h"
#include "lib/model/reflect.inc.h"

namespace drover::agent {

std::string encode_task_local(const TaskLocal& local) {
  std::string out;
  model::append_msgpack(out, local);
  return out;
}

Result<TaskLocal> decode_task_local(std::string_view bytes) {
  TaskLocal out;
  DROVER_TRY(model::from_msgpack(bytes, out));
  return out;
}

}  // namespace drover::agent
