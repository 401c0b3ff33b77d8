#include "live/schema.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

// The library is not written to this project's warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Woverloaded-virtual"
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#pragma GCC diagnostic pop

namespace tcpflight::test {
namespace {

using Adapter = valijson::adapters::NlohmannJsonAdapter;

std::string fenced_json(const std::string &path)
{
    std::ifstream file(path);
    std::stringstream content;
    content << file.rdbuf();
    const std::string text = content.str();
    const std::string opening = "\n```json\n";
    const std::size_t begin = text.find(opening);
    const std::size_t end = begin == std::string::npos ? begin : text.find("\n```", begin + opening.size() - 1);
    if (end == std::string::npos)
        throw std::runtime_error(path + ": no ```json block");
    return text.substr(begin + opening.size(), end - begin - opening.size());
}

} // namespace

struct Schema::Compiled {
    nlohmann::json source;
    valijson::Schema schema;
    // As JSON counts: 1.0 is an integer, "1" is not.
    valijson::Validator validator{valijson::Validator::kStrongTypes};
};

Schema::Schema(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
Schema::Schema(Schema &&) noexcept = default;
Schema::~Schema() = default;

Schema Schema::from_document(const std::string &path)
{
    auto compiled = std::make_unique<Compiled>();
    compiled->source = nlohmann::json::parse(fenced_json(path));
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(compiled->source), compiled->schema);
    return Schema(std::move(compiled));
}

std::string Schema::objections(const nlohmann::json &value) const
{
    if (compiled_->validator.validate(compiled_->schema, Adapter(value), nullptr))
        return {};
    // Once more, for the reasons: collecting them costs more than the verdict, which is nearly always good.
    valijson::ValidationResults results;
    compiled_->validator.validate(compiled_->schema, Adapter(value), &results);
    std::string text;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
        for (const std::string &part : error.context)
            text += part;
        text += ": " + error.description + "\n";
    }
    return text.empty() ? "the schema does not allow it" : text;
}

} // namespace tcpflight::test
