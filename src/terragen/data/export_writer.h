// What one export format does with a dataset's images, one after the other.
#pragma once

#include <filesystem>
#include <memory>

#include "terragen/data/dataset.h"
#include "terragen/data/exporter.h"

namespace terragen::data {

class ExportWriter {
 public:
  // `folder` is where the format's files go; it appears under its final name when all is written.
  ExportWriter(const Dataset& dataset, const ExportOptions& options, std::filesystem::path folder)
      : dataset_(dataset), options_(options), folder_(std::move(folder)) {}
  virtual ~ExportWriter() = default;
  ExportWriter(const ExportWriter&) = delete;
  ExportWriter& operator=(const ExportWriter&) = delete;

  virtual void add(const ImageRecord& image) = 0;
  virtual void finish() {}
  std::size_t approximated() const { return approximated_; }
  std::size_t left_out() const { return left_out_; }

 protected:
  // Byte for byte into `below`, a folder below the export's own.
  void copy_image(const ImageRecord& image, const std::filesystem::path& below) const;
  // The features with shapes the format can carry, cut at the image's edge; crowds are left out where the format has no
  // word for what is not to be counted. RequestError naming the image when one would change or be missing and the user
  // has not asked for approximations.
  enum class Carries { boxes, oriented_boxes, single_rings };
  std::vector<layout::Feature> carried(const ImageRecord& image, Carries what, bool knows_difficult,
                                       const std::string& format);
  std::string class_name(const layout::Feature& feature) const {
    return dataset_.taxonomy.at(feature.class_index).name;
  }
  std::string stem(const ImageRecord& image) const { return std::filesystem::path(image.file_name).stem().string(); }

  const Dataset& dataset_;
  const ExportOptions& options_;
  const std::filesystem::path folder_;

 private:
  std::size_t approximated_ = 0;
  std::size_t left_out_ = 0;
};

std::unique_ptr<ExportWriter> make_coco_writer(const Dataset& dataset, const ExportOptions& options,
                                               const std::filesystem::path& folder);
std::unique_ptr<ExportWriter> make_yolo_writer(const Dataset& dataset, const ExportOptions& options,
                                               const std::filesystem::path& folder);
std::unique_ptr<ExportWriter> make_dota_writer(const Dataset& dataset, const ExportOptions& options,
                                               const std::filesystem::path& folder);
std::unique_ptr<ExportWriter> make_voc_writer(const Dataset& dataset, const ExportOptions& options,
                                              const std::filesystem::path& folder);
std::unique_ptr<ExportWriter> make_mask_writer(const Dataset& dataset, const ExportOptions& options,
                                               const std::filesystem::path& folder);
std::unique_ptr<ExportWriter> make_geojson_writer(const Dataset& dataset, const ExportOptions& options,
                                                  const std::filesystem::path& folder);

}  // namespace terragen::data
