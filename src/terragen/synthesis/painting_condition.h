// What a painter is told of a layout: the model's classes, in the form the model learned the task in.
#pragma once

#include "terragen/layout/layout.h"
#include "terragen/models/model_folder.h"
#include "terragen/shards/shard_set.h"
#include "terragen/synthesis/painter.h"

namespace terragen::synthesis {

// Features drawn into a class mask where the model learned the layout's task from masks; otherwise as it is. Classes
// are numbered as in the model's taxonomy.
layout::Layout painting_condition(layout::Layout layout, const models::ModelFolder& model);

// That data have a model's bands, in its order. RequestError naming `who` the model is, `name` of the data and the
// band.
void check_bands(const models::ImageInfo& known, const std::string& who, const shards::ShardSet& data,
                 const std::string& name);

// That a painter's bands are those of the data and that it knows their tasks. RequestError naming what it does not.
void check_bands_and_tasks(const models::ModelFolder& model, const shards::ShardSet& data);

// The same, and that a painter can paint images of `size` pixels for data of this kind. RequestError
// naming what cannot be.
void check_painter(const models::ModelFolder& model, const shards::ShardSet& data, int size);

// The number in `to` of every class of `from`, by name. RequestError naming the class that `to` lacks and `who`, the
// one that lacks it.
std::vector<int> class_numbers(const layout::Taxonomy& from, const layout::Taxonomy& to, const std::string& who);
// Features and mask renumbered.
layout::Layout renumbered(layout::Layout layout, const std::vector<int>& numbers);

}  // namespace terragen::synthesis
