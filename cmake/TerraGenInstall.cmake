# Install rules: find_package(TerraGen) gives TerraGen::core, TerraGen::layout, ... as targets.
