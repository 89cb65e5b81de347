#include "terragen/shards/shard_reader.h"

#include <format>

#include "terragen/core/error.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::shards {

ShardReader::ShardReader(const std::filesystem::path& folder, const std::string& split) : set_(read_shard_set(folder)) {
  std::vector<float> low;
  std::vector<float> scale;
  for (const ShardBand& band : set_.bands) {
    low.push_back(static_cast<float>(band.low));
    scale.push_back(static_cast<float>(2.0 / (band.high - band.low)));
  }
  low_ = torch::tensor(low).view({-1, 1, 1});
  scale_ = torch::tensor(scale).view({-1, 1, 1});
  for (const ShardSet::File& file : set_.files) {
    if (file.split != split) continue;
    const std::filesystem::path path = folder / file.name;
    tensor::TensorMap tensors = tensor::load_safetensors(path, tensor::Checksum::required).tensors;
    const auto take = [&](const std::string& name) {
      const auto found = tensors.find(name);
      return found == tensors.end() ? torch::Tensor() : found->second;
    };
    for (std::int64_t i = 0; i < file.count; ++i) {
      const std::string place = std::format("{}: sample {}", path.string(), i);
      Stored stored{take(std::format("{}/image", i)), take(std::format("{}/valid", i)), {}, {}};
      const torch::Tensor text = take(std::format("{}/layout", i));
      const torch::Tensor mask = take(std::format("{}/mask", i));
      if (!stored.image.defined() || stored.image.dim() != 3 || stored.image.size(0) != low_.size(0) ||
          !text.defined() || text.scalar_type() != torch::kUInt8 || text.dim() != 1) {
        throw DataError(place, "has no image of the set's bands, or no layout");
      }
      const std::string json_text(reinterpret_cast<const char*>(text.data_ptr()),
                                  static_cast<std::size_t>(text.numel()));
      const Json json = parse_json(json_text, place);
      stored.layout = layout::layout_from_json(json, set_.taxonomy.size(), place);
      stored.source = json_member_or<std::string>(json, "source", "", place);
      const bool fits = stored.image.size(1) == stored.layout.height && stored.image.size(2) == stored.layout.width;
      const auto plane_fits = [&](const torch::Tensor& plane) {
        return !plane.defined() || (plane.scalar_type() == torch::kUInt8 && plane.dim() == 2 &&
                                    plane.size(0) == stored.layout.height && plane.size(1) == stored.layout.width);
      };
      if (!fits || !plane_fits(mask) || !plane_fits(stored.valid)) throw DataError(place, "has planes of another size");
      if (mask.defined()) {
        const auto* values = mask.data_ptr<std::uint8_t>();
        stored.layout.mask =
            layout::DenseMask{stored.layout.width, stored.layout.height, {values, values + mask.numel()}};
      }
      samples_.push_back(std::move(stored));
    }
  }
}

Sample ShardReader::get(std::size_t index) const {
  const Stored& stored = samples_.at(index);
  Sample sample;
  sample.image = ((stored.image.to(torch::kFloat32) - low_) * scale_ - 1.0).clamp(-1.0, 1.0);
  sample.valid = stored.valid.defined() ? stored.valid.to(torch::kFloat32)
                                        : torch::ones({stored.image.size(1), stored.image.size(2)});
  if (stored.valid.defined()) sample.image = torch::where(sample.valid.gt(0), sample.image, torch::zeros({}));
  sample.layout = stored.layout;
  sample.source = stored.source;
  return sample;
}

}  // namespace terragen::shards
