// The reference outputs of what surrounds the U-Net in the published pipelines: text, control, boxes.
#include <gtest/gtest.h>

#include <format>
#include <map>
#include <sstream>

#include "terragen/core/atomic_file.h"
#include "terragen/core/gzip.h"
#include "terragen/core/test_paths.h"
#include "terragen/core/unicode.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_tokenizer.h"
#include "terragen/models/control_net.h"
#include "terragen/models/golden_case.h"
#include "terragen/models/model_io.h"
#include "terragen/models/unet.h"
#include "terragen/tensor/device.h"

namespace terragen::models {
namespace {

using test::GoldenCase;
using Outputs = std::map<std::string, torch::Tensor>;

constexpr double kExact = 1e-5;
constexpr double kBf16 = 3e-2;

std::string worst_of(const Outputs& ours, const GoldenCase& golden, double tolerance) {
  return std::format("{:.1e}", test::worst_error(ours, golden, tolerance));
}

std::filesystem::path clip_vocabulary() {
  return test::golden_folder() / "clip_vocabulary" / "bpe_simple_vocab_16e6.txt.gz";
}

// OpenAI's vocabulary as transformers writes it, padded with `pad`.
void write_tokenizer_folder(const std::filesystem::path& folder, const std::string& pad) {
  Json vocabulary = Json::object();
  std::int64_t next = 0;
  const auto add = [&](const std::string& token) { vocabulary[token] = next++; };
  for (const char* ending : {"", "</w>"}) {
    std::vector<std::string> hidden;
    for (char32_t byte = 0; byte < 256; ++byte) {
      const bool shown = (byte >= U'!' && byte <= U'~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      if (shown) {
        add(to_utf8(std::u32string{byte}) + ending);
      } else {
        hidden.push_back(to_utf8(std::u32string{static_cast<char32_t>(256 + hidden.size())}) + ending);
      }
    }
    for (const std::string& token : hidden) add(token);
  }
  std::istringstream lines(read_maybe_gzip(clip_vocabulary()));
  std::string line, merges;
  for (int i = 0; i <= 48894 && std::getline(lines, line); ++i) {
    merges += line + "\n";
    if (i > 0) add(line.substr(0, line.find(' ')) + line.substr(line.find(' ') + 1));
  }
  for (const char* token : {"<|startoftext|>", "<|endoftext|>"}) add(token);
  write_json(folder / "vocab.json", vocabulary);
  write_file(folder / "merges.txt", merges);
  write_json(folder / "special_tokens_map.json", {{"pad_token", pad}});
}

TEST(GoldenClipTokenizer, EveryId) {
  const auto cases = test::golden_cases("06_clip_tokenizer");
  if (cases.empty() || !std::filesystem::exists(clip_vocabulary())) {
    GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  }
  const ClipTokenizer tokenizer(clip_vocabulary());
  for (const auto& folder : cases) {
    const GoldenCase golden(folder);
    std::vector<std::string> texts;
    for (const Json& each : read_json(folder / "tokenizer_cases.json")) {
      texts.push_back(each.at("text").get<std::string>());
      EXPECT_EQ(tokenizer.ids(texts.back()), each.at("ids").get<std::vector<std::int64_t>>()) << texts.back();
    }
    const torch::Tensor ids = tokenizer.encode(texts);
    EXPECT_TRUE(torch::equal(ids, golden.outputs.at("hf_pad_eot")));
    // OpenAI's own code differs in what pads alone.
    torch::Tensor padded = ids.clone();
    for (std::size_t row = 0; row < texts.size(); ++row) {
      const auto used = std::min<std::int64_t>(77, std::ssize(tokenizer.ids(texts[row])) + 2);
      padded[static_cast<std::int64_t>(row)].narrow(0, used, 77 - used).zero_();
    }
    EXPECT_TRUE(torch::equal(padded, golden.outputs.at("openai_pad0")));
    const test::ScratchFolder scratch;
    write_tokenizer_folder(scratch.path(), "<|endoftext|>");
    EXPECT_TRUE(torch::equal(ClipTokenizer(scratch.path()).encode(texts), golden.outputs.at("hf_pad_eot")));
    // Stable Diffusion 2 pads with "!", which then stands for itself in texts too.
    write_tokenizer_folder(scratch.path(), "!");
    EXPECT_TRUE(torch::equal(ClipTokenizer(scratch.path()).encode(texts), golden.outputs.at("hf_pad_bang")));
  }
}

void check_clip_text(const std::filesystem::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const GoldenCase golden(folder);
  ClipTextModel model(clip_text_config_from_json(golden.config.at("model"), folder.string()));
  load_parameters(*model, golden.weights);
  model->eval();
  const torch::Tensor& ids = golden.inputs.at("input_ids");
  const torch::Tensor& mask = golden.inputs.at("attention_mask");
  for (const bool bf16 : {false, true}) {
    const tensor::AutocastGuard autocast(torch::kCPU, bf16);
    Outputs ours;
    const ClipTextOutput said = model->forward(
        ids, {}, 0, [&](const std::string& name, const torch::Tensor& x) { ours[name] = x[0].unsqueeze(0); });
    ours["last_hidden_state"] = said.last_hidden_state;
    ours["pooled"] = said.pooled;
    ours["last_hidden_state_masked"] = model->forward(ids.slice(0, 0, 2), mask.slice(0, 0, 2)).last_hidden_state;
    ours["penultimate_then_final_norm"] = model->forward(ids, {}, 1).last_hidden_state;
    testing::Test::RecordProperty(folder.filename().string() + (bf16 ? "_bf16" : ""),
                                  worst_of(ours, golden, bf16 ? kBf16 : kExact));
  }
}

TEST(GoldenClipText, EveryOutput) {
  const auto cases = test::golden_cases("06_clip_text");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) check_clip_text(folder);
}

TEST(GoldenControlNet, EveryOutput) {
  const auto cases = test::golden_cases("03_controlnet");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    const GoldenCase golden(folder);
    UNet2DConditionModel unet(unet_config_from_json(golden.config.at("unet"), folder.string()));
    load_parameters(*unet, golden.part("unet."));
    ControlNet control(control_net_config_from_json(golden.config.at("controlnet"), folder.string()));
    load_parameters(*control, golden.part("controlnet."));
    const torch::Tensor& sample = golden.inputs.at("sample");
    const torch::Tensor& text = golden.inputs.at("encoder_hidden_states");
    const torch::Tensor& picture = golden.inputs.at("controlnet_cond");
    const auto scale = golden.config.at("conditioning_scale").get<double>();
    for (const bool bf16 : {false, true}) {
      const tensor::AutocastGuard autocast(torch::kCPU, bf16);
      Outputs ours;
      ours["cond_embedding"] = control->embedded(picture);
      ours["eps_t500_without_control"] = unet->forward(sample, torch::tensor(500), {text});
      for (const std::int64_t t : {1, 500, 999}) {
        const ControlResiduals said = control->forward(sample, torch::tensor(t), text, picture, scale);
        const UNetCondition condition{.text = text, .down_residuals = said.down, .mid_residual = said.mid};
        ours[std::format("eps_t{}", t)] = unet->forward(sample, torch::tensor(t), condition);
        if (t != 500) continue;
        ours["mid_residual"] = said.mid;
        for (std::size_t i = 0; i < said.down.size(); ++i) ours[std::format("down_residual.{}", i)] = said.down[i];
      }
      const auto first = [](const torch::Tensor& x) { return x.slice(0, 0, 1); };
      const ControlResiduals guess =
          control->forward(first(sample), torch::tensor(500), first(text), first(picture), scale, true);
      ours["guess.mid_residual"] = guess.mid;
      for (std::size_t i = 0; i < guess.down.size(); ++i)
        ours[std::format("guess.down_residual.{}", i)] = guess.down[i];
      RecordProperty(folder.filename().string() + (bf16 ? "_bf16" : ""), worst_of(ours, golden, bf16 ? kBf16 : kExact));
    }
  }
}

TEST(GoldenGligen, EveryOutput) {
  const auto cases = test::golden_cases("04_gligen");
  if (cases.empty()) GTEST_SKIP() << "no reference tensors in " << test::golden_folder();
  const torch::NoGradGuard no_grad;
  for (const auto& folder : cases) {
    SCOPED_TRACE(folder.filename().string());
    const GoldenCase golden(folder);
    UNet2DConditionModel unet(unet_config_from_json(golden.config.at("model"), folder.string()));
    load_parameters(*unet, golden.weights);
    const torch::Tensor& sample = golden.inputs.at("sample");
    const torch::Tensor& text = golden.inputs.at("encoder_hidden_states");
    const BoxCondition boxes{golden.inputs.at("boxes"), golden.inputs.at("masks"),
                             golden.inputs.at("positive_embeddings")};
    const auto modules = unet->named_modules();
    auto& net = dynamic_cast<BoxPositionNetImpl&>(*modules["position_net"]);
    auto& fuser =
        dynamic_cast<nn::GatedSelfAttentionImpl&>(*modules["down_blocks.0.attentions.0.transformer_blocks.0.fuser"]);
    for (const bool bf16 : {false, true}) {
      const tensor::AutocastGuard autocast(torch::kCPU, bf16);
      Outputs ours;
      ours["fourier_embeds"] = box_waves(boxes.boxes);
      ours["position_net_out"] = net.forward(boxes);
      ours["fuser_out"] = fuser.forward(golden.inputs.at("fuser_x"), ours["position_net_out"]);
      ours["eps_t500_fuser_disabled"] = unet->forward(sample, torch::tensor(500), {text});
      for (const std::int64_t t : {1, 500, 999}) {
        ours[std::format("eps_t{}", t)] = unet->forward(sample, torch::tensor(t), {.text = text, .boxes = boxes});
      }
      RecordProperty(folder.filename().string() + (bf16 ? "_bf16" : ""), worst_of(ours, golden, bf16 ? kBf16 : kExact));
    }
  }
}

}  // namespace
}  // namespace terragen::models
