"""Export a trained generator: to bundles, ONNX, the Hugging Face hub, and one HTML page."""
