// TensorFlow operations written as functions of their inputs, through the C interface.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tensorflow_api.h"

namespace voxface {

/** Owners of what the interface hands out. */
struct Delete {
  void operator()(TF_Status* status) const { TF_DeleteStatus(status); }
  void operator()(TF_Tensor* tensor) const { TF_DeleteTensor(tensor); }
  void operator()(TF_ShapeHandle* shape) const { TF_DeleteShapeHandle(shape); }
};
using Status = std::unique_ptr<TF_Status, Delete>;
using Tensor = std::unique_ptr<TF_Tensor, Delete>;
using Sizes = std::vector<int64_t>;

inline int64_t Product(const Sizes& sizes) {
  int64_t product = 1;
  for (const int64_t size : sizes) product *= size;
  return product;
}

/** A tensor that an operation reads. TensorFlow keeps it alive until the operation ends. */
struct Input {
  const float* values;
  Sizes sizes;

  int64_t Length() const { return Product(sizes); }
};

/** Reads attributes while an operation is made. */
class Construction {
 public:
  explicit Construction(TF_OpKernelConstruction* construction) : construction_(construction), status_(TF_NewStatus()) {}

  Sizes List(const char* name) {
    int32_t length = 0, size = 0;
    if (IsGood()) TF_OpKernelConstruction_GetAttrSize(construction_, name, &length, &size, status_.get());
    Sizes values(IsGood() ? length : 0);
    if (IsGood()) TF_OpKernelConstruction_GetAttrInt64List(construction_, name, values.data(), length, status_.get());
    return values;
  }

  float Number(const char* name) {
    float value = 0;
    if (IsGood()) TF_OpKernelConstruction_GetAttrFloat(construction_, name, &value, status_.get());
    return value;
  }

  bool Flag(const char* name) {
    unsigned char value = 0;
    if (IsGood()) TF_OpKernelConstruction_GetAttrBool(construction_, name, &value, status_.get());
    return value != 0;
  }

  void Check(bool holds, const char* message) {
    if (IsGood() && !holds) TF_SetStatus(status_.get(), TF_INVALID_ARGUMENT, message);
  }

  /** Reports what went wrong; false if nothing did. */
  bool Failed() {
    if (IsGood()) return false;
    TF_OpKernelConstruction_Failure(construction_, status_.get());
    return true;
  }

 private:
  bool IsGood() const { return TF_GetCode(status_.get()) == TF_OK; }

  TF_OpKernelConstruction* construction_;
  Status status_;
};

/** The inputs, outputs and errors of one run of an operation. */
class Run {
 public:
  explicit Run(TF_OpKernelContext* context) : context_(context), status_(TF_NewStatus()) {}

  int Inputs() const { return TF_NumInputs(context_); }

  /** An input; no values if it could not be read. The hold on it ends at once, so that an output may take its memory. */
  Input Read(int index) {
    TF_Tensor* read = nullptr;
    TF_GetInput(context_, index, &read, status_.get());
    if (read == nullptr) return {nullptr, {}};
    const Tensor tensor(read);
    Input input = {static_cast<const float*>(TF_TensorData(read)), {}};
    for (int i = 0; i < TF_NumDims(read); i++) input.sizes.push_back(TF_Dim(read, i));
    return input;
  }

  float* Output(int index, const Sizes& sizes) {
    Keep(TF_AllocateOutput(context_, index, TF_FLOAT, sizes.data(), sizes.size(), Product(sizes) * sizeof(float), status_.get()));
    return Last();
  }

  /** An output in the memory of an input that nobody else reads, or of its own. */
  float* OutputInPlaceOf(const std::vector<int>& inputs, int index, const Sizes& sizes) {
    int taken = -1;
    Keep(TF_ForwardInputOrAllocateOutput(context_, inputs.data(), inputs.size(), index, sizes.data(), sizes.size(), &taken,
                                         status_.get()));
    return Last();
  }

  /** Ends the operation with an error unless the condition holds and everything so far went well. */
  bool Check(bool holds, const char* message) {
    if (holds && TF_GetCode(status_.get()) == TF_OK) return true;
    if (TF_GetCode(status_.get()) == TF_OK) TF_SetStatus(status_.get(), TF_INVALID_ARGUMENT, message);
    TF_OpKernelContext_Failure(context_, status_.get());
    return false;
  }

 private:
  void Keep(TF_Tensor* tensor) { outputs_.emplace_back(tensor); }
  float* Last() { return outputs_.back() == nullptr ? nullptr : static_cast<float*>(TF_TensorData(outputs_.back().get())); }

  TF_OpKernelContext* context_;
  Status status_;
  std::vector<Tensor> outputs_;
};

/** Tells a graph's optimizer the shapes of results. */
template <typename Operation>
void InferShapes(TF_ShapeInferenceContext* context, TF_Status* status) {
  TF_ShapeInferenceContextSetUnknownShape(context, status);
  int output = 0;
  for (const int input : Operation::kShapes) {
    const std::unique_ptr<TF_ShapeHandle, Delete> shape(TF_NewShapeHandle());
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextGetInput(context, input, shape.get(), status);
    if (TF_GetCode(status) == TF_OK) TF_ShapeInferenceContextSetOutput(context, output++, shape.get(), status);
  }
}

/**
 * Registers an operation on the CPU.
 * @tparam Operation holds the attributes; made of a Construction, called with a Run. `kShapes` lists the inputs that have the shapes of the
 * first outputs.
 */
template <typename Operation>
bool Register(const char* name, const std::vector<const char*>& attributes, const std::vector<const char*>& inputs,
              const std::vector<const char*>& outputs) {
  const Status status(TF_NewStatus());
  TF_OpDefinitionBuilder* definition = TF_NewOpDefinitionBuilder(name);
  for (const char* attribute : attributes) TF_OpDefinitionBuilderAddAttr(definition, attribute);
  for (const char* input : inputs) TF_OpDefinitionBuilderAddInput(definition, input);
  for (const char* output : outputs) TF_OpDefinitionBuilderAddOutput(definition, output);
  TF_OpDefinitionBuilderSetShapeInferenceFunction(definition, InferShapes<Operation>);
  TF_RegisterOpDefinition(definition, status.get());
  if (TF_GetCode(status.get()) != TF_OK) return false;
  TF_KernelBuilder* kernel = TF_NewKernelBuilder(
      name, "CPU",
      [](TF_OpKernelConstruction* given) -> void* {
        Construction construction(given);
        auto operation = std::make_unique<Operation>(construction);
        return construction.Failed() ? nullptr : operation.release();
      },
      [](void* operation, TF_OpKernelContext* context) {
        Run run(context);
        (*static_cast<const Operation*>(operation))(run);
      },
      [](void* operation) { delete static_cast<Operation*>(operation); });
  TF_RegisterKernelBuilder(name, kernel, status.get());
  return TF_GetCode(status.get()) == TF_OK;
}

}  // namespace voxface
