"""The section `mem_training` of an analysis file: the networks of the matrix element method and their training."""
