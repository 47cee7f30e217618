"""The section `mem_training` of an analysis file: the networks of the matrix element method and their training."""

from partonic.config.mem_training.section import MEM_PRESETS, MemNetworksConfig, MemPart

__all__ = ["MEM_PRESETS", "MemNetworksConfig", "MemPart"]
