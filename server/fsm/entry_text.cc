#include "server/fsm/entry_text.h"

#include "lib/model/codec.h"
#include "server/fsm/messages.h"

namespace drover::fsm {
namespace {

template <class Message>
Result<EntryText> text_of(const char* type, std::string_view entry) {
  auto message = decode<Message>(entry);
  if (!message) return fail(message.error());
  return EntryText{.type = type, .body = model::to_json(*message)};
}

// A megabyte of a saved state helps nobody.
Result<EntryText> text_of_piece(std::string_view entry) {
  auto piece = decode<RestorePiece>(entry);
  if (!piece) return fail(piece.error());
  return EntryText{.type = "RestorePieceType",
                   .body = fmt::format(R"({{"ID":"{}","Number":{},"Bytes":{}}})", piece->id, piece->number, piece->data.data().size())};
}

}  // namespace

Result<EntryText> entry_text(std::string_view entry) {
  if (entry.empty()) return fail(Code::invalid_argument, "the entry is empty");
  const auto number = static_cast<unsigned>(static_cast<std::uint8_t>(entry.front()));
  switch (static_cast<MessageType>(number)) {
    case MessageType::node_register: return text_of<NodeRegister>("NodeRegisterRequestType", entry);
    case MessageType::node_deregister: return text_of<NodeDeregister>("NodeDeregisterRequestType", entry);
    case MessageType::node_update_status: return text_of<NodeUpdateStatus>("NodeUpdateStatusRequestType", entry);
    case MessageType::node_drain: return text_of<NodeDrain>("NodeUpdateDrainRequestType", entry);
    case MessageType::node_eligibility: return text_of<NodeEligibility>("NodeUpdateEligibilityRequestType", entry);
    case MessageType::job_register: return text_of<JobRegister>("JobRegisterRequestType", entry);
    case MessageType::job_deregister: return text_of<JobDeregister>("JobDeregisterRequestType", entry);
    case MessageType::job_batch_deregister: return text_of<JobBatchDeregister>("JobBatchDeregisterRequestType", entry);
    case MessageType::job_stability: return text_of<JobStability>("JobStabilityRequestType", entry);
    case MessageType::job_version_tag: return text_of<JobVersionTag>("JobVersionTagRequestType", entry);
    case MessageType::eval_update: return text_of<EvalUpdate>("EvalUpdateRequestType", entry);
    case MessageType::eval_delete: return text_of<EvalDelete>("EvalDeleteRequestType", entry);
    case MessageType::alloc_client_update: return text_of<AllocClientUpdate>("AllocClientUpdateRequestType", entry);
    case MessageType::alloc_desired_transition: return text_of<AllocDesiredTransition>("AllocUpdateDesiredTransitionRequestType", entry);
    case MessageType::reconcile_summaries: return text_of<ReconcileSummaries>("ReconcileJobSummariesRequestType", entry);
    case MessageType::plan_result: return text_of<PlanResult>("ApplyPlanResultsRequestType", entry);
    case MessageType::deployment_status: return text_of<DeploymentStatus>("DeploymentStatusUpdateRequestType", entry);
    case MessageType::deployment_promote: return text_of<DeploymentPromote>("DeploymentPromoteRequestType", entry);
    case MessageType::deployment_health: return text_of<DeploymentHealth>("DeploymentAllocHealthRequestType", entry);
    case MessageType::deployment_delete: return text_of<DeploymentDelete>("DeploymentDeleteRequestType", entry);
    case MessageType::autopilot_config: return text_of<AutopilotConfig>("AutopilotRequestType", entry);
    case MessageType::scheduler_config: return text_of<SchedulerConfig>("SchedulerConfigRequestType", entry);
    case MessageType::scaling_event: return text_of<ScalingEvent>("ScalingEventRegisterRequestType", entry);
    case MessageType::node_pool_upsert: return text_of<NodePoolUpsert>("NodePoolUpsertRequestType", entry);
    case MessageType::node_pool_delete: return text_of<NodePoolDelete>("NodePoolDeleteRequestType", entry);
    case MessageType::namespace_upsert: return text_of<NamespaceUpsert>("NamespaceUpsertRequestType", entry);
    case MessageType::namespace_delete: return text_of<NamespaceDelete>("NamespaceDeleteRequestType", entry);
    case MessageType::host_volume_upsert: return text_of<HostVolumeUpsert>("HostVolumeRegisterRequestType", entry);
    case MessageType::host_volume_delete: return text_of<HostVolumeDelete>("HostVolumeDeleteRequestType", entry);
    case MessageType::volume_claim_delete: return text_of<VolumeClaimDelete>("TaskGroupHostVolumeClaimDeleteRequestType", entry);
    case MessageType::restore_piece: return text_of_piece(entry);
    case MessageType::restore_end: return text_of<RestoreEnd>("RestoreEndType", entry);
    case MessageType::ignore_unknown_flag: break;
  }
  return EntryText{.type = fmt::format("Unknown({})", number & 127), .ignore_unknown = number >= 128, .body = {}};
}

}  // namespace drover::fsm
