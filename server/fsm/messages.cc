#include "server/fsm/messages.h"

#include "lib/model/codec.h"
#include "lib/model/reflect.inc.h"

#define DROVER_FSM_MESSAGE(M)                                                                \
  DROVER_MODEL_CODEC(M)                                                                      \
  template std::string drover::fsm::encode(const M&);                                        \
  template drover::Result<M> drover::fsm::decode<M>(std::string_view);

namespace drover::fsm {

template <class Message>
std::string encode(const Message& message) {
  std::string out(1, static_cast<char>(Message::type));
  model::append_msgpack(out, message);
  return out;
}

template <class Message>
Result<Message> decode(std::string_view entry) {
  Message message{};
  if (entry.empty() || static_cast<MessageType>(entry.front()) != Message::type) {
    return fail(Code::invalid_argument, "the log entry is not of the expected type");
  }
  DROVER_TRY(model::from_msgpack(entry.substr(1), message));
  return message;
}

std::string_view event_type(MessageType type) {
  switch (type) {
    case MessageType::node_register: return "NodeRegistration";
    case MessageType::node_deregister: return "NodeDeregistration";
    case MessageType::node_update_status: return "NodeStreamEvent";
    case MessageType::job_register: return "JobRegistered";
    case MessageType::job_deregister: return "JobDeregistered";
    case MessageType::eval_update: return "EvaluationUpdated";
    case MessageType::alloc_client_update: return "AllocationUpdated";
    case MessageType::plan_result: return "PlanResult";
    case MessageType::job_batch_deregister: return "JobBatchDeregistered";
    case MessageType::alloc_desired_transition: return "AllocationUpdateDesiredStatus";
    case MessageType::node_drain: return "NodeDrain";
    case MessageType::deployment_status: return "DeploymentStatusUpdate";
    case MessageType::deployment_promote: return "DeploymentPromotion";
    case MessageType::deployment_health: return "DeploymentAllocHealth";
    case MessageType::node_eligibility: return "NodeEligibility";
    case MessageType::node_pool_upsert: return "NodePoolUpserted";
    case MessageType::node_pool_delete: return "NodePoolDeleted";
    default: return {};
  }
}

}  // namespace drover::fsm

using namespace drover::fsm;

DROVER_FSM_MESSAGE(NodeRegister)
DROVER_FSM_MESSAGE(NodeDeregister)
DROVER_FSM_MESSAGE(NodeUpdateStatus)
DROVER_FSM_MESSAGE(NodeEligibility)
DROVER_FSM_MESSAGE(NodeDrain)
DROVER_FSM_MESSAGE(JobRegister)
DROVER_FSM_MESSAGE(JobDeregister)
DROVER_FSM_MESSAGE(JobBatchDeregister)
DROVER_FSM_MESSAGE(EvalUpdate)
DROVER_FSM_MESSAGE(EvalDelete)
DROVER_FSM_MESSAGE(AllocClientUpdate)
DROVER_FSM_MESSAGE(ReconcileSummaries)
DROVER_FSM_MESSAGE(PlanResult)
DROVER_FSM_MESSAGE(DeploymentStatus)
DROVER_FSM_MESSAGE(DeploymentPromote)
DROVER_FSM_MESSAGE(DeploymentHealth)
DROVER_FSM_MESSAGE(DeploymentDelete)
DROVER_FSM_MESSAGE(JobStability)
DROVER_FSM_MESSAGE(AllocDesiredTransition)
DROVER_FSM_MESSAGE(SchedulerConfig)
DROVER_FSM_MESSAGE(AutopilotConfig)
DROVER_FSM_MESSAGE(RestorePiece)
DROVER_FSM_MESSAGE(RestoreEnd)
DROVER_FSM_MESSAGE(drover::fsm::ScalingEvent)
DROVER_FSM_MESSAGE(drover::fsm::JobVersionTag)
DROVER_FSM_MESSAGE(NodePoolUpsert)
DROVER_FSM_MESSAGE(NodePoolDelete)
DROVER_FSM_MESSAGE(HostVolumeUpsert)
DROVER_FSM_MESSAGE(HostVolumeDelete)
DROVER_FSM_MESSAGE(VolumeClaimDelete)
DROVER_FSM_MESSAGE(NamespaceUpsert)
DROVER_FSM_MESSAGE(NamespaceDelete)
