"""What others can use without this package: networks as ONNX files, likelihoods as checked bundles."""
