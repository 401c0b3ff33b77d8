#include "app/pipeline.h"

#include <utility>

namespace tcpflight {
namespace {

Table::Wanted wanted_by(const Filter &filter)
{
    if (filter.is_open())
        return {};
    return [filter](const Identity &identity) { return filter.matches(identity); };
}

} // namespace

Pipeline::Pipeline(const Settings &settings, Sink &sink)
    : count_(settings.count), show_found_(settings.show_found), sink_(sink),
      table_(wanted_by(settings.filter), settings.table_capacity),
      sequencer_([this](const Event &event) { deliver(event); })
{
}

bool Pipeline::consume(std::span<const std::byte> record)
{
    if (decode(record, record_) != DecodeError::None) {
        totals_.malformed++;
        return true;
    }
    if (auto event = table_.observe(record_))
        sequencer_.push(*event);
    return !is_done();
}

void Pipeline::lose(const tf_loss &loss, std::uint64_t time_ns)
{
    record_.header = {};
    record_.header.type = TF_RECORD_LOST;
    record_.header.time_ns = time_ns;
    record_.loss = loss;
    if (auto event = table_.observe(record_))
        sequencer_.push(*event);
}

Pipeline::Totals Pipeline::totals() const
{
    auto totals = totals_;
    totals.forgotten = table_.forgotten();
    return totals;
}

void Pipeline::deliver(const Event &event)
{
    if (is_done() || (std::holds_alternative<Found>(event.what) && !show_found_))
        return;
    if (const auto *lost = std::get_if<Lost>(&event.what)) {
        totals_.lost.at(static_cast<std::size_t>(lost->reason)) += lost->count;
    } else if (!event.wanted) {
        totals_.filtered_out++;
        return;
    } else {
        totals_.shown++;
    }
    sink_.write(event, output_);
}

} // namespace tcpflight
