// Images at another size or read between their pixels: of real numbers as PyTorch does it, of bytes as Pillow does it.
// A network that was trained behind one of them wants that one.
#pragma once

#include <torch/torch.h>

#include <cstdint>

namespace terragen::nn {

enum class Interpolation {
  nearest,        // the pixel that the place's upper left corner falls into, as OpenCV does
  nearest_exact,  // the pixel whose centre is nearest
  area,           // the mean of all pixels touched
  bilinear,
  bicubic  // Keys 1981 with a = -0.75; with antialiasing a = -0.5
};

struct ResizeOptions {
  Interpolation how = Interpolation::bilinear;
  // For bilinear and bicubic. align_corners: the centres of the corner pixels stay where they are, not the outer edges.
  bool align_corners = false;
  bool antialias = false;  // a filter that grows with the reduction; none of the image is passed over
};

// images: [N, C, H, W], floating point; the result [N, C, height, width], of their type, with gradients. PyTorch's
// F.interpolate, places and weights in float32.
torch::Tensor resize_images(const torch::Tensor& images, std::int64_t height, std::int64_t width,
                            const ResizeOptions& options = {});
// To floor(factor * H), floor(factor * W). The pixels lie 1 / factor apart in the original, so that a remainder is left
// at the lower and right edges; with `whole`, they are spread over the whole image.
torch::Tensor resize_images_by(const torch::Tensor& images, double factor, const ResizeOptions& options = {},
                               bool whole = false);

enum class Outside { zeros, border, reflection };  // what lies beyond the image: nothing, its edge, itself mirrored

// Values at places of one's own. places: [N, h, w, 2], x and y, -1 and 1 the outer edges of the image (with
// `align_corners`, the centres of the outermost pixels). how: nearest (halves to the even pixel), bilinear or bicubic.
// The result is [N, C, h, w]. PyTorch's F.grid_sample.
torch::Tensor sample_images(const torch::Tensor& images, const torch::Tensor& places, Interpolation how,
                            Outside outside = Outside::zeros, bool align_corners = false);

enum class ByteFilter { nearest, box, bilinear, bicubic, lanczos };  // bicubic: a = -0.5; Lanczos: three lobes

// Pillow's Image.resize to the bit: always antialiased (except `nearest`), columns before rows, each rounded to bytes.
// image: [H, W, C] or [H, W], uint8, on the CPU; bands are independent (Pillow would multiply by an alpha band first).
torch::Tensor resize_bytes(const torch::Tensor& image, std::int64_t height, std::int64_t width, ByteFilter filter);
// To this length of the shorter side, the longer one in proportion, rounded down (torchvision's Resize).
torch::Tensor resize_bytes_shorter(const torch::Tensor& image, std::int64_t shorter, ByteFilter filter);
// The middle of an image [H, W, ...] that is at least this large; an odd remainder falls so that the first pixel's
// number is even (torchvision's CenterCrop).
torch::Tensor crop_centre(const torch::Tensor& image, std::int64_t height, std::int64_t width);
// Brightness by ITU-R BT.601 in Pillow's fixed point: [H, W, 3] uint8 to [H, W].
torch::Tensor grey_bytes(const torch::Tensor& image);
// What CLIP's image encoder reads (Radford et al. 2021, arXiv 2103.00020): [H, W, 3] uint8 to [3, size, size], float32.
torch::Tensor clip_image_input(const torch::Tensor& image, std::int64_t size = 224);

}  // namespace terragen::nn
