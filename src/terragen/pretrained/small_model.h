// A Stable Diffusion of a few thousand weights, in memory, as a folder and as a single file. For tests only.
#pragma once

#include <filesystem>
#include <format>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "terragen/core/atomic_file.h"
#include "terragen/core/json_file.h"
#include "terragen/core/unicode.h"
#include "terragen/models/autoencoder.h"
#include "terragen/models/clip_text_model.h"
#include "terragen/models/clip_vision_model.h"
#include "terragen/models/control_net.h"
#include "terragen/models/model_io.h"
#include "terragen/models/unet.h"
#include "terragen/tensor/safetensors.h"

namespace terragen::test {

struct SmallModel {
  // in_channels: 9 where the U-Net is to see a hole; attention_type: "gated" where boxes are to be heard.
  explicit SmallModel(std::int64_t in_channels = 4, const std::string& attention_type = "default") {
    torch::manual_seed(7);
    models::UNetConfig unet_config;
    unet_config.block_out_channels = {32, 64};
    unet_config.down_block_types = {"CrossAttnDownBlock2D", "DownBlock2D"};
    unet_config.up_block_types = {"UpBlock2D", "CrossAttnUpBlock2D"};
    unet_config.cross_attention_dim = 64;
    unet_config.in_channels = in_channels;
    unet_config.attention_type = attention_type;
    unet = models::UNet2DConditionModel(unet_config);
    models::AutoencoderConfig autoencoder_config;
    autoencoder_config.block_out_channels = {32, 64};
    autoencoder = models::AutoencoderKL(autoencoder_config);
    models::ClipTextConfig text_config;
    text_config.vocab_size = 520;
    text_config.hidden_size = 64;
    text_config.intermediate_size = 64;
    text_config.num_hidden_layers = 3;
    text_config.num_attention_heads = 1;
    text_config.eos_token_id = 2;
    text_encoder = models::ClipTextModel(text_config);
    // Gates begin shut.
    const torch::NoGradGuard no_grad;
    for (const auto& [name, value] : models::collect_parameters(*unet)) {
      if (name.ends_with(".alpha_attn") || name.ends_with(".alpha_dense")) value.fill_(0.5);
    }
    unet->eval();
    autoencoder->eval();
    text_encoder->eval();
  }

  // As diffusers writes it.
  void write_folder(const std::filesystem::path& folder) const {
    write_json(made(folder) / "model_index.json", {{"_class_name", "StableDiffusionPipeline"},
                                                   {"vae", {"diffusers", "AutoencoderKL"}},
                                                   {"unet", {"diffusers", "UNet2DConditionModel"}},
                                                   {"text_encoder", {"transformers", "CLIPTextModel"}},
                                                   {"tokenizer", {"transformers", "CLIPTokenizer"}},
                                                   {"scheduler", {"diffusers", "PNDMScheduler"}},
                                                   {"safety_checker", {nullptr, nullptr}}});
    write_json(made(folder / "scheduler") / "scheduler_config.json", {{"_class_name", "PNDMScheduler"},
                                                                      {"beta_start", 0.00085},
                                                                      {"beta_end", 0.012},
                                                                      {"beta_schedule", "scaled_linear"},
                                                                      {"skip_prk_steps", true},
                                                                      {"set_alpha_to_one", false},
                                                                      {"steps_offset", 1},
                                                                      {"trained_betas", nullptr}});
    write_tokenizer(made(folder / "tokenizer"));
    write_part(folder / "unet", to_json(unet->config()), "diffusion_pytorch_model.safetensors", *unet);
    write_part(folder / "vae", to_json(autoencoder->config()), "diffusion_pytorch_model.safetensors", *autoencoder);
    write_part(folder / "text_encoder", to_json(text_encoder->config()), "model.safetensors", *text_encoder);
  }

  // One of its family that says something: untrained ones are silent.
  models::ControlNet control_net() const {
    models::ControlNetConfig config{.unet = unet->config(), .conditioning_embedding_out_channels = {16, 32}};
    config.unet.in_channels = 4;
    config.unet.attention_type = "default";
    models::ControlNet net(config);
    const torch::NoGradGuard no_grad;
    for (const auto& [name, value] : models::collect_parameters(*net)) {
      if (name.starts_with("controlnet_")) value.normal_();
    }
    net->eval();
    return net;
  }
  static void write_control_net(const std::filesystem::path& folder, const models::ControlNet& net) {
    Json config = to_json(net->config().unet);
    config["conditioning_embedding_out_channels"] = net->config().conditioning_embedding_out_channels;
    write_part(folder, config, "diffusion_pytorch_model.safetensors", *net);
  }

  // CLIP's image encoder, smaller still, with its config as a whole CLIP model's folder has it.
  static models::ClipVisionModel write_clip_vision(const std::filesystem::path& folder) {
    models::ClipVisionModel model(models::ClipVisionConfig{.hidden_size = 16,
                                                           .intermediate_size = 16,
                                                           .num_hidden_layers = 1,
                                                           .num_attention_heads = 2,
                                                           .image_size = 16,
                                                           .patch_size = 4});
    write_part(folder, {{"model_type", "clip"}, {"vision_config", to_json(model->config())}}, "model.safetensors",
               *model);
    return model;
  }

  // All bytes and no merges but one.
  static void write_tokenizer(const std::filesystem::path& folder) {
    Json vocabulary = Json::object();
    std::int64_t next = 0;
    for (unsigned byte = 0, hidden = 0; byte < 256; ++byte) {
      const bool shown = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      const std::string character = to_utf8(std::u32string{static_cast<char32_t>(shown ? byte : 256 + hidden++)});
      vocabulary[character] = next++;
      vocabulary[character + "</w>"] = next++;
    }
    for (const char* token : {"th", "<|startoftext|>", "<|endoftext|>"}) vocabulary[token] = next++;
    write_json(folder / "vocab.json", vocabulary);
    write_file(folder / "merges.txt", "#version: 0.2\nt h\n");
  }

  // Under the names of the latent-diffusion code, the inverse of what is tested.
  tensor::TensorMap single_file() const {
    tensor::TensorMap all;
    for (const auto& [name, value] : models::collect_parameters(*unet)) {
      all["model.diffusion_model." + ldm_unet_name(name)] = value;
    }
    for (const auto& [name, value] : models::collect_parameters(*autoencoder)) {
      const std::string old = ldm_autoencoder_name(name);
      const bool convolution = old.find("attn_1") != std::string::npos && value.dim() == 2;
      all["first_stage_model." + old] = convolution ? value.view({value.size(0), value.size(1), 1, 1}) : value;
    }
    for (const auto& [name, value] : models::collect_parameters(*text_encoder)) {
      all["cond_stage_model.transformer." + name] = value;
    }
    all["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch::arange(77).unsqueeze(0);
    all["betas"] = torch::zeros({1000});
    all["model_ema.decay"] = torch::tensor(0.9999F);
    return all;
  }

  // A ControlNet under the names of its authors.
  static tensor::TensorMap original_control_net(const models::ControlNet& net, const std::string& prefix) {
    tensor::TensorMap all;
    const std::string embedding = "controlnet_cond_embedding.";
    const std::vector<std::pair<std::string, std::string>> own = {{embedding + "conv_in", "input_hint_block.0"},
                                                                  {embedding + "blocks.0", "input_hint_block.2"},
                                                                  {embedding + "blocks.1", "input_hint_block.4"},
                                                                  {embedding + "conv_out", "input_hint_block.6"},
                                                                  {"controlnet_mid_block", "middle_block_out.0"}};
    static const std::regex silent(R"(controlnet_down_blocks\.(\d+)\.(.*))");
    for (const auto& [name, value] : models::collect_parameters(*net)) {
      std::smatch match;
      if (std::regex_match(name, match, silent)) {
        all[std::format("{}zero_convs.{}.0.{}", prefix, match[1].str(), match[2].str())] = value;
      } else {
        all[prefix + (name.starts_with("controlnet_") ? replace_all(name, own) : ldm_unet_name(name))] = value;
      }
    }
    return all;
  }

  models::UNet2DConditionModel unet{nullptr};
  models::AutoencoderKL autoencoder{nullptr};
  models::ClipTextModel text_encoder{nullptr};

 private:
  static std::filesystem::path made(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    return folder;
  }
  static void write_part(const std::filesystem::path& folder, const Json& config, const char* name,
                         const torch::nn::Module& part) {
    write_json(made(folder) / "config.json", config);
    tensor::save_safetensors(folder / name, models::collect_parameters(part));
  }

  static std::string replace_all(std::string name, const std::vector<std::pair<std::string, std::string>>& names) {
    for (const auto& [from, to] : names) {
      if (const std::size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
    }
    return name;
  }

  static std::string ldm_unet_name(const std::string& name) {
    static const std::vector<std::pair<std::string, std::string>> resnet = {
        {".norm1.", ".in_layers.0."},  {".conv1.", ".in_layers.2."},  {".time_emb_proj.", ".emb_layers.1."},
        {".norm2.", ".out_layers.0."}, {".conv2.", ".out_layers.3."}, {".conv_shortcut.", ".skip_connection."}};
    static const std::vector<std::pair<std::string, std::string>> rest = {{"time_embedding.linear_1", "time_embed.0"},
                                                                          {"time_embedding.linear_2", "time_embed.2"},
                                                                          {"conv_in", "input_blocks.0.0"},
                                                                          {"conv_norm_out", "out.0"},
                                                                          {"conv_out", "out.2"},
                                                                          {"mid_block.attentions.0", "middle_block.1"}};
    static const std::regex block(R"((down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*))");
    static const std::regex middle(R"(mid_block\.resnets\.(\d)(.*))");
    std::smatch match;
    if (std::regex_match(name, match, middle)) {
      return std::format("middle_block.{}", match[1] == "0" ? 0 : 2) + replace_all(match[2], resnet);
    }
    if (!std::regex_match(name, match, block)) return replace_all(name, rest);
    const bool down = match[1] == "down";
    const int level = std::stoi(match[2]), layer = std::stoi(match[4]);
    const std::string side = down ? "input_blocks" : "output_blocks";
    const int index = 3 * level + (down ? 1 : 0) + layer;
    if (match[3] == "resnets") return std::format("{}.{}.0", side, index) + replace_all("." + match[5].str(), resnet);
    if (match[3] == "attentions") return std::format("{}.{}.1.{}", side, index, match[5].str());
    if (down) return std::format("{}.{}.0.op.{}", side, 3 * level + 3, match[5].str().substr(5));
    // The coarsest level of the up path attends to nothing here.
    return std::format("{}.{}.{}.{}", side, 3 * level + 2, level == 0 ? 1 : 2, match[5].str());
  }

  static std::string ldm_autoencoder_name(const std::string& name) {
    static const std::vector<std::pair<std::string, std::string>> rest = {{"conv_norm_out", "norm_out"},
                                                                          {"conv_shortcut", "nin_shortcut"},
                                                                          {"mid_block.resnets.0", "mid.block_1"},
                                                                          {"mid_block.resnets.1", "mid.block_2"},
                                                                          {"mid_block.attentions.0", "mid.attn_1"},
                                                                          {"group_norm", "norm"},
                                                                          {"to_q", "q"},
                                                                          {"to_k", "k"},
                                                                          {"to_v", "v"},
                                                                          {"to_out.0", "proj_out"},
                                                                          {"downsamplers.0", "downsample"},
                                                                          {"upsamplers.0", "upsample"},
                                                                          {".resnets.", ".block."}};
    std::smatch match;
    std::string result = name;
    if (std::regex_match(name, match, std::regex(R"(encoder\.down_blocks\.(\d)(.*))"))) {
      result = "encoder.down." + match[1].str() + match[2].str();
    } else if (std::regex_match(name, match, std::regex(R"(decoder\.up_blocks\.(\d)(.*))"))) {
      result = std::format("decoder.up.{}", 1 - std::stoi(match[1])) + match[2].str();
    }
    return replace_all(result, rest);
  }
};

}  // namespace terragen::test
