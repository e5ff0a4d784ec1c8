// Spans that follow the GenAI semantic conventions, of any SDK but those with consumers of their
// own.
#pragma once

#include "exporter/ingest/claude_code.h"
#include "exporter/ingest/otlp_model.h"

namespace skep::ingest {

// chat, generate_content, text_completion and embeddings are requests to models, execute_tool is a
// call of a tool, invoke_agent a run of a subagent (of the root of a trace: of an agent, which is
// not counted). Where a framework and a client library both tell of one request (same
// gen_ai.response.id) it counts once. `gen_ai.provider.name` and the older `gen_ai.system` both
// mark such a span; what they say is no label.
void GenAiSpan(const AgentSink& sink, const Resource& resource, const Span& span);

}  // namespace skep::ingest
