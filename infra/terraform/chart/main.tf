# Where Terraform and the Helm chart meet: which taints nodes have, that pods have to tolerate, and what the chart has to be told of what Terraform
# made. No provider is needed here.

terraform {
  required_version = ">= 1.9"
}

variable "repository" {
  description = "Where the image is, without a tag."
  type        = string
}

variable "store" {
  description = "Name of the store's bucket."
  type        = string
}

variable "bundles" {
  description = "Name of the bucket with a folder for each bundle."
  type        = string
}

variable "accounts" {
  description = "E-mail addresses of Google's service accounts, by part: orchestrator, renderer, encoder."
  type        = map(string)
}

variable "gpu_pools" {
  description = "By name of a pool: its accelerator, and whether its machines are spot."
  type        = map(object({ accelerator = string, spot = bool }))
}

variable "encoders_on_spot" {
  description = "Whether the pool for encode workers is of spot machines."
  type        = bool
}

locals {
  spot_taint = { key = "cloud.google.com/gke-spot", value = "true" }
  gpu_taint  = { key = "nvidia.com/gpu", value = "present" }

  annotations = { for part, email in var.accounts : part => { "iam.gke.io/gcp-service-account" = email } }

  # Where there are several GPU pools, each entry of `renderers` names its own.
  renderer = length(var.gpu_pools) == 1 ? [
    for pool in var.gpu_pools : {
      renderer = {
        spot         = pool.spot
        nodeSelector = { "cloud.google.com/gke-accelerator" = pool.accelerator }
      }
    }
  ] : []
}

output "taints" {
  description = "By GPU pool, and of the pool for encode workers: what keeps other pods from its nodes."
  value = {
    gpu    = { for name, pool in var.gpu_pools : name => concat([local.gpu_taint], pool.spot ? [local.spot_taint] : []) }
    encode = var.encoders_on_spot ? [local.spot_taint] : []
  }
}

output "values" {
  description = "Values for infra/helm/pixart-batch, as YAML."
  value = yamlencode(merge({
    image          = { repository = var.repository }
    allow          = ["gs://${var.store}"]
    podAnnotations = { "gke-gcsfuse/volumes" = "true" }
    bundles = {
      csi = {
        driver   = "gcsfuse.csi.storage.gke.io"
        readOnly = true
        # `gcloud storage cp` leaves no objects for folders, and without the option folders are not seen.
        volumeAttributes = { bucketName = var.bundles, mountOptions = "implicit-dirs" }
      }
    }
    orchestrator                      = { serviceAccountAnnotations = local.annotations["orchestrator"] }
    rendererServiceAccountAnnotations = local.annotations["renderer"]
    encoderServiceAccountAnnotations  = local.annotations["encoder"]
    encoder                           = { spot = var.encoders_on_spot }
  }, local.renderer...))
}
