variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of the cluster, the buckets and the images; one whose zones have the GPUs of `gpu_pools`."
  type        = string
}

variable "name" {
  description = "What everything is named after: the cluster, its network, its accounts."
  type        = string
  default     = "pixart"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", var.name))
    error_message = "Expected 2 to 16 lower-case letters, digits and hyphens that begin with a letter, found \"${var.name}\"."
  }
}

variable "store" {
  description = "Name of the bucket for the store. Names of buckets are taken once in the world."
  type        = string
}

variable "bundles" {
  description = "Name of the bucket for bundles."
  type        = string
}

variable "soft_delete_days" {
  description = "So long what was replaced or deleted in the store can be brought back, by whoever may, and is paid for. What `forget` removed is gone after that time only; 0 forgets at once and brings nothing back."
  type        = number
  default     = 7

  validation {
    condition     = var.soft_delete_days == 0 || (var.soft_delete_days >= 7 && var.soft_delete_days <= 90)
    error_message = "Expected 0, or 7 to 90 days, which is what Cloud Storage takes; found ${var.soft_delete_days}."
  }
}

variable "release" {
  description = "Name of the Helm release."
  type        = string
  default     = "night"

  validation {
    condition     = can(regex("^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", var.release))
    error_message = "Expected what Helm takes as a release's name, found \"${var.release}\"."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the Helm release."
  type        = string
  default     = "studio"
}

variable "gpu_pools" {
  description = "Node pools for render workers, by name. Each has no node when nobody renders, and never more than max_nodes in all zones together. A node's memory and processors have to hold what the chart's `renderer.resources` asks for, and the node's own."
  type = map(object({
    machine_type = string
    # As Compute Engine calls it; the machine type may fix which and how many.
    accelerator = string
    gpus        = optional(number, 1)
    max_nodes   = number
    spot        = optional(bool, true)
    # Zones that have the GPU; null for those of the cluster.
    zones = optional(list(string))
    # Image, pods' own space: bundles are not kept on it.
    disk_gb = optional(number, 100)
  }))
  default = {
    l4 = { machine_type = "g2-standard-8", accelerator = "nvidia-l4", max_nodes = 4 }
  }

  validation {
    condition     = alltrue([for pool in var.gpu_pools : pool.max_nodes >= 1 && pool.gpus >= 1])
    error_message = "Expected at least one node and one GPU for each of gpu_pools."
  }

  validation {
    condition     = alltrue([for name in keys(var.gpu_pools) : !contains(["usual", "encode"], name)])
    error_message = "Expected other names of gpu_pools than usual and encode, which are pools already."
  }
}

variable "encode_pool" {
  description = "Node pool for encode workers. A node has to hold what the chart's `encoder.resources` asks for (4 processors, 24 GiB), and the node's own."
  type = object({
    machine_type = optional(string, "n2-standard-8")
    max_nodes    = optional(number, 2)
    spot         = optional(bool, true)
  })
  default = {}
}

variable "usual_pool" {
  description = "Node pool for all else: orchestrators, KEDA, Kubernetes' own, and Temporal where it is in the cluster."
  type = object({
    machine_type = optional(string, "e2-standard-4")
    min_nodes    = optional(number, 1)
    max_nodes    = optional(number, 4)
  })
  default = {}
}

variable "people" {
  description = "Who may do what on the store, by part of infra/iam/parts.json: submitter, reviewer, repairer, remover. Members as IAM calls them, such as group:studio@example.com."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.people), ["submitter", "reviewer", "repairer", "remover"])) == 0
    error_message = "Expected the parts submitter, reviewer, repairer and remover, found ${join(", ", keys(var.people))}."
  }
}

variable "budget" {
  description = "Tells the billing account's administrators when the project has spent half, nine tenths and all of it in a month, or is likely to. It stops nothing; what bounds a bill is max_nodes. Null for none."
  type = object({
    billing_account = string
    amount          = number
    # As of the billing account.
    currency = string
  })
  default = null
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be destroyed."
  type        = bool
  default     = true
}
