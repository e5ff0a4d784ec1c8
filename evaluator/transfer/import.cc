#include "evaluator/transfer/import.h"

#include <filesystem>
#include <system_error>

#include "common/base/file.h"
#include "evaluator/prometheusblock/block.h"
#include "evaluator/transfer/block_import.h"
#include "evaluator/transfer/page_import.h"

namespace skep::transfer {
namespace {

namespace fs = std::filesystem;

bool IsFolder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// A data folder of Prometheus has its newest two or three hours elsewhere.
void RemarkOnHead(const std::string& folder, const ImportRun& run) {
  if (!IsFolder(JoinPath(folder, "wal")) && !IsFolder(JoinPath(folder, "chunks_head"))) return;
  run.Remark(folder +
             " is a data folder of Prometheus: its newest samples, which are in no block yet, do "
             "not come in. Take a snapshot (POST /api/v1/admin/tsdb/snapshot, with "
             "--web.enable-admin-api) and import that folder to have them, too");
}

Result<std::vector<std::string>> BlocksIn(const std::string& folder, const ImportRun& run) {
  if (prometheusblock::IsBlock(folder)) return std::vector{folder};
  Result<std::vector<std::string>> blocks = prometheusblock::ListBlocks(folder);
  if (!blocks) return blocks.error();
  RemarkOnHead(folder, run);
  if (blocks->empty()) return Invalid(folder + ": no block of Prometheus is in this folder");
  return blocks;
}

Status ImportInput(const std::string& input, ImportRun& run, std::uint64_t& inputs) {
  if (!IsFolder(input)) {
    ++inputs;
    return ImportPage(input, run);
  }
  const Result<std::vector<std::string>> blocks = BlocksIn(input, run);
  if (!blocks) return blocks.error();
  for (const std::string& block : *blocks) {
    ++inputs;
    RETURN_IF_ERROR(ImportBlock(block, run));
  }
  return {};
}

}  // namespace

Status ImportRun::Damaged(const Error& error) {
  if (options_.on_damage == OnDamage::kStop) {
    if (options_.stopped_by_damage) options_.stopped_by_damage();
    return error;
  }
  if (damaged_.insert(error.message()).second) Remark(error.message());
  return {};
}

void ImportRun::Remark(const std::string& message) const {
  if (options_.remark) options_.remark(message);
}

void ImportRun::Tell(const std::string& input, double done) const {
  if (options_.progress) options_.progress({input, done, samples_});
}

Result<ImportSummary> Import(const std::string& store, const std::vector<std::string>& inputs,
                             const ImportOptions& options) {
  const Result<std::unique_ptr<DayBlocks>> blocks = DayBlocks::Open(store);
  if (!blocks) return blocks.error();
  ImportRun run(**blocks, options);
  ImportSummary summary;
  for (const std::string& input : inputs) RETURN_IF_ERROR(ImportInput(input, run, summary.inputs));
  const Result<ImportedBlocks> imported = (*blocks)->Publish();
  if (!imported) return imported.error();
  summary.imported = *imported;
  summary.damaged = run.damaged();
  summary.future = run.future();
  summary.samples = run.samples();
  return summary;
}

}  // namespace skep::transfer
